/** One flag of the command line. */
interface Flag {
  readonly type: 'string' | 'boolean'
  readonly multiple?: true
  readonly short?: string
  /** What `--help` calls its value. */
  readonly value?: string
  /** What `--help` says, one entry a line. */
  readonly help: string
}

/** The flags, in the order of `--help`; each but those that end at once can be given in the environment too. */
export const FLAGS = {
  port: {
    type: 'string',
    multiple: true,
    short: 'p',
    value: 'PORT',
    help: 'SMTP port (default 2525; 0 takes a free one); may be repeated',
  },
  'broadcasts-port': {
    type: 'string',
    value: 'PORT',
    help: 'a port in the place of smtp-broadcasts.postmarkapp.com',
  },
  'http-port': { type: 'string', value: 'PORT', help: 'port of the inbox page and the API (default 8025)' },
  host: {
    type: 'string',
    value: 'ADDRESS',
    help: 'address to listen on (default 127.0.0.1); another one needs --password-file',
  },
  'password-file': {
    type: 'string',
    value: 'FILE',
    help: 'holds the password of the inbox page, and of the API without --token',
  },
  token: { type: 'string', value: 'TOKEN', help: 'the one server token that may log in (default: any may)' },
  stream: {
    type: 'string',
    multiple: true,
    value: 'ID',
    help: 'a further message stream; ID:broadcasts for one of newsletters; may be repeated',
  },
  sender: {
    type: 'string',
    multiple: true,
    value: 'SENDER',
    help: 'a verified domain or address (default: any may send); SENDER:unconfirmed; may be repeated',
  },
  account: { type: 'string', value: 'STATE', help: 'approved (the default), pending or blocked' },
  suppress: {
    type: 'string',
    multiple: true,
    value: 'ADDRESS',
    help: 'suppresses an address; ADDRESS:STREAM on another stream than outbound; may be repeated',
  },
  'tls-name': {
    type: 'string',
    multiple: true,
    value: 'NAME',
    help: 'a further name that the certificate is valid for; may be repeated',
  },
  'ca-out': { type: 'string', value: 'FILE', help: 'writes the certificate there, for clients to trust' },
  'tls-cert': {
    type: 'string',
    value: 'FILE',
    help: 'certificate for STARTTLS in PEM (default: a new one for localhost)',
  },
  'tls-key': { type: 'string', value: 'FILE', help: 'its key in PEM' },
  keep: { type: 'string', value: 'COUNT', help: 'mails to keep (default 10000); beyond it the oldest go' },
  data: {
    type: 'string',
    value: 'DIR',
    help: 'keeps mails, suppressions and webhooks there over a restart (default: in memory only)',
  },
  webhook: {
    type: 'string',
    multiple: true,
    value: 'URL',
    help: 'posts the events of every message stream there, with content; may be repeated',
  },
  'smtp-api-error-hooks': {
    type: 'boolean',
    help: 'posts refused mails too (default: they are not, as at Postmark)',
  },
  'check-private-links': {
    type: 'boolean',
    help: 'lets the link check of the page ask private addresses too',
  },
  'fail-seed': {
    type: 'string',
    value: 'NUMBER',
    help: 'about one mail in ten meets a fault, the same ones for the same number',
  },
  open: { type: 'boolean', help: 'opens the inbox page in a browser' },
  quiet: { type: 'boolean', help: 'prints no line per mail' },
  help: { type: 'boolean', short: 'h', help: 'prints this' },
  version: { type: 'boolean', short: 'v', help: 'prints the version' },
} as const

/** The variable that gives a flag in the environment. @example 'POSTMARK_SANDBOX_HTTP_PORT' */
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
 * The flags of the environment, but for those that the command line gives. A flag that may be repeated takes a list
 * with commas; one without a value takes 1, true, 0 or false. An empty variable counts as none.
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

A local Postmark: an SMTP server that keeps every mail, and a page that shows them.

${Object.entries(FLAGS).map(toHelpLine).join('\n')}

Each flag can be given in the environment too: ${PREFIX}HTTP_PORT=8025. Lists have commas.
`

function toHelpLine([name, { short, value, help }]: [string, Flag]): string {
  const flag = `${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`
  return `  ${flag.padEnd(24)}  ${help}`
}
