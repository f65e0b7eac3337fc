/** One flag of the command line. */
interface Flag {
  readonly type: 'string' | 'boolean'
  readonly multiple?: true
  readonly short?: string
  /** What `--help` calls its value. */
  readonly value?: string
  /** What `--help` says, on one line. */
  readonly help: string
}

/** The flags, in the order of `--help`. All except `help` and `version` can also be set in the environment. */
export const FLAGS = {
  port: {
    type: 'string',
    multiple: true,
    short: 'p',
    value: 'PORT',
    help: 'SMTP port (default 2525; 0 picks a free one); repeatable',
  },
  'broadcasts-port': {
    type: 'string',
    value: 'PORT',
    help: 'port that replaces smtp-broadcasts.postmarkapp.com',
  },
  'http-port': { type: 'string', value: 'PORT', help: 'port of the inbox page and the API (default 8025)' },
  host: {
    type: 'string',
    value: 'ADDRESS',
    help: 'address to listen on (default 127.0.0.1); one that others can reach needs --password-file',
  },
  'password-file': {
    type: 'string',
    value: 'FILE',
    help: 'file with the password of the inbox page, and of the API without --token',
  },
  token: { type: 'string', value: 'TOKEN', help: 'the only server token that may log in (default: any)' },
  stream: {
    type: 'string',
    multiple: true,
    value: 'ID',
    help: 'add a message stream; ID:broadcasts for newsletters; repeatable',
  },
  sender: {
    type: 'string',
    multiple: true,
    value: 'SENDER',
    help: 'verified domain or address, or SENDER:unconfirmed (default: anyone may send); repeatable',
  },
  account: { type: 'string', value: 'STATE', help: 'approved (the default), pending or blocked' },
  suppress: {
    type: 'string',
    multiple: true,
    value: 'ADDRESS',
    help: 'suppress an address on outbound; ADDRESS:STREAM for another stream; repeatable',
  },
  'tls-name': {
    type: 'string',
    multiple: true,
    value: 'NAME',
    help: 'another name that the certificate is valid for; repeatable',
  },
  'ca-out': {
    type: 'string',
    value: 'FILE',
    help: 'write the certificate to this file for clients to trust',
  },
  'tls-cert': {
    type: 'string',
    value: 'FILE',
    help: 'certificate for STARTTLS in PEM (default: a new one for localhost)',
  },
  'tls-key': { type: 'string', value: 'FILE', help: 'key of the certificate in PEM' },
  keep: {
    type: 'string',
    value: 'COUNT',
    help: 'how many emails to keep (default 10000); beyond that, the oldest are removed',
  },
  data: {
    type: 'string',
    value: 'DIR',
    help: 'keep emails, suppressions and webhooks here across restarts (default: in memory only)',
  },
  webhook: {
    type: 'string',
    multiple: true,
    value: 'URL',
    help: 'post the events of every message stream to this URL, with content; repeatable',
  },
  'smtp-api-error-hooks': {
    type: 'boolean',
    help: 'also post refused emails (default: off, as at Postmark)',
  },
  'check-private-links': {
    type: 'boolean',
    help: 'let the link check of the page request private addresses too',
  },
  'fail-seed': {
    type: 'string',
    value: 'NUMBER',
    help: 'make about one email in ten meet a fault; the same number gives the same faults',
  },
  open: { type: 'boolean', help: 'open the inbox page in a browser' },
  quiet: { type: 'boolean', help: 'do not print a line per email' },
  help: { type: 'boolean', short: 'h', help: 'print this help' },
  version: { type: 'boolean', short: 'v', help: 'print the version' },
} as const

/** The environment variable of a flag. @example 'POSTMARK_SANDBOX_HTTP_PORT' */
export function toVariable(flag: string): string {
  return PREFIX + flag.toUpperCase().replaceAll('-', '_')
}

const PREFIX = 'POSTMARK_SANDBOX_'
const IN_ENVIRONMENT = Object.entries(FLAGS).filter(([name]) => name !== 'help' && name !== 'version')

/** What {@link readEnvironment} found. */
export interface EnvironmentFlags {
  /** As arguments of a command line. */
  readonly args: readonly string[]
  /** The names of variables that belong to no flag. */
  readonly unknown: readonly string[]
}

/**
 * Reads the flags of the environment, except those that the command line gives. A repeatable flag takes a list
 * with commas; one without a value takes 1, true, 0 or false. An empty variable is ignored.
 */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  given: ReadonlySet<string>,
): EnvironmentFlags {
  const args = IN_ENVIRONMENT.flatMap(([name, flag]: [string, Flag]) => {
    const text = environment[toVariable(name)]?.trim()
    if (!text || given.has(name)) return []
    if (flag.type === 'boolean')
      return /^(?:0|false)$/i.test(text) ? [] : [`--${name}${/^(?:1|true)$/i.test(text) ? '' : `=${text}`}`]
    const values = flag.multiple ? text.split(',').map((value) => value.trim()) : [text]
    return values.filter((value) => value !== '').map((value) => `--${name}=${value}`)
  })
  const known = new Set(IN_ENVIRONMENT.map(([name]) => toVariable(name)))
  const unknown = Object.keys(environment).filter((name) => name.startsWith(PREFIX) && !known.has(name))
  return { args, unknown }
}

/** What `--help` prints. */
export const HELP: string = `Usage: npx @postmark-smtp/sandbox [flags]

A local Postmark: an SMTP server that keeps every email, and a page that shows the emails.

${Object.entries(FLAGS).map(toHelpLine).join('\n')}

You can also set each flag in the environment: ${PREFIX}HTTP_PORT=8025. Separate several values with commas.
`

function toHelpLine([name, { short, value, help }]: [string, Flag]): string {
  const flag = `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`
  return `  ${flag.padEnd(24)}  ${help}`
}
