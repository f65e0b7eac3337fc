import { parseArgs } from 'node:util'
import { isLoopback, refuseUnknown } from '@postmark-smtp/core/internal'
import { PostmarkError } from '@postmark-smtp/core/pure'
import type { ExamineOptions } from '../examine-options.js'

const FLAGS = {
  'api-token': { type: 'string' },
  'account-token': { type: 'string' },
  'api-url': { type: 'string' },
  from: { type: 'string' },
  stream: { type: 'string' },
  'send-to': { type: 'string' },
  'verify-webhooks': { type: 'boolean' },
  probe: { type: 'boolean' },
  'time-limit': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const

/** What `--help` prints. */
export const HELP = `Usage: npx @postmark-smtp/doctor [URL] [flags]

Finds what is misconfigured between your application, its network and Postmark.
No mail is sent without --send-to or --probe.

  URL                     postmark+smtp://TOKEN@default (default: $POSTMARK_URL)
  --from ADDRESS          the From address of your application; checks its signature, domain, SPF and DMARC
  --stream ID             the message stream (default: the stream of the URL, otherwise outbound)
  --send-to ADDRESS       send one mail from --from to this address
  --verify-webhooks       let Postmark post dummy data to each webhook
  --probe                 find out what Postmark does not document; asks before each step, only on a sandbox server
  --api-url URL           the REST API, for a sandbox
  --time-limit SECONDS    the limit for the whole run (default 15)
  --json                  print one finding per line, as JSON
  -h, --help, --version

Tokens come from the environment: POSTMARK_URL, POSTMARK_SERVER_TOKEN, POSTMARK_ACCOUNT_TOKEN. The flags --api-token and
--account-token work too, but everybody on this machine can read a command line.

Exit code: 0 no fault, 1 a fault, 2 not everything could be examined, or wrong usage.
`

/** What a command line asks for. */
export interface Command {
  readonly action: 'examine' | 'probe' | 'help' | 'version'
  readonly json: boolean
  readonly options: ExamineOptions
  /** What is dangerous in the command line. */
  readonly warnings: readonly string[]
}

type Environment = Readonly<Record<string, string | undefined>>

/** Reads the arguments and the environment. @throws PostmarkError ERR_POSTMARK_OPTIONS, which quotes no argument */
export function parseCommand(args: readonly string[], env: Environment, folder: string): Command {
  const { values, positionals } = parseFlags([...args])
  const { help, version, json = false } = values
  if (help || version) return { action: help ? 'help' : 'version', json, options: {}, warnings: [] }
  if (positionals.length > 1)
    throw usageError(`${positionals.length} URLs are given, but only one can be examined at a time.`)
  if (values.probe && (json || values['send-to'] !== undefined))
    throw usageError('--probe cannot be combined with --json or --send-to.')
  const [given] = positionals
  const url = given ?? (env.POSTMARK_URL || undefined)
  const apiToken = values['api-token'] ?? (env.POSTMARK_SERVER_TOKEN || undefined)
  const accountToken = values['account-token'] ?? (env.POSTMARK_ACCOUNT_TOKEN || undefined)
  const options: ExamineOptions = {
    url,
    apiToken,
    accountToken,
    apiUrl: values['api-url'],
    from: values.from,
    stream: values.stream,
    sendTo: values['send-to'],
    verifyWebhooks: values['verify-webhooks'],
    limitMs: toLimit(values['time-limit']),
    folder,
  }
  const warnings = [
    ...(given !== undefined && !isOfThisMachine(given) ? [warn('The URL', 'POSTMARK_URL')] : []),
    ...(values['api-token'] === undefined ? [] : [warn('--api-token', 'POSTMARK_SERVER_TOKEN')]),
    ...(values['account-token'] === undefined ? [] : [warn('--account-token', 'POSTMARK_ACCOUNT_TOKEN')]),
  ]
  return { action: values.probe ? 'probe' : 'examine', json, options, warnings }
}

function parseFlags(args: string[]) {
  const { tokens } = parseArgs({ args, options: FLAGS, strict: false, tokens: true })
  const names = tokens.flatMap((token) => (token.kind === 'option' ? [[token.rawName, true]] : []))
  refuseUnknown(Object.fromEntries(names), [...Object.keys(FLAGS).map((name) => `--${name}`), '-h'])
  try {
    return parseArgs({ args, options: FLAGS, allowPositionals: true })
  } catch (error) {
    throw usageError((error as Error).message)
  }
}

function toLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= 600) return Number(text) * 1000
  throw usageError('--time-limit must be a whole number of seconds, from 1 to 600.')
}

function isOfThisMachine(url: string): boolean {
  return URL.canParse(url) && isLoopback(new URL(url).hostname)
}

function warn(what: string, variable: string): string {
  return `${what} on the command line shows a token to everybody on this machine, and the shell keeps it in its history. Set ${variable} instead.`
}

function usageError(message: string): PostmarkError {
  return new PostmarkError('ERR_POSTMARK_OPTIONS', message, { hint: 'See --help.' })
}
