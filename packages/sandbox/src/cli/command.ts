import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { PostmarkError } from '@postmark-smtp/core'
import { refuseUnknown } from '@postmark-smtp/core/internal'
import type { StreamSetting } from '../mail/stream.js'
import type { SandboxOptions } from '../sandbox.js'
import { seededFaults } from '../smtp/faults/seeded-faults.js'
import { isLoopback } from '../smtp/loopback.js'
import type { WebhookTriggers } from '../webhooks/webhook.js'

const FLAGS = {
  port: { type: 'string', multiple: true },
  'broadcasts-port': { type: 'string' },
  'http-port': { type: 'string' },
  host: { type: 'string' },
  'password-file': { type: 'string' },
  token: { type: 'string' },
  stream: { type: 'string', multiple: true },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  keep: { type: 'string' },
  webhook: { type: 'string', multiple: true },
  'smtp-api-error-hooks': { type: 'boolean' },
  'fail-seed': { type: 'string' },
  quiet: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const

/** What `--help` prints. */
export const HELP = `Usage: npx @postmark-smtp/sandbox [flags]

A local Postmark: an SMTP server that keeps every mail, and a page that shows them.

  --port PORT             SMTP port (default 2525; 0 takes a free one); may be repeated
  --broadcasts-port PORT  a port in the place of smtp-broadcasts.postmarkapp.com
  --http-port PORT        port of the inbox page and the API (default 8025)
  --host ADDRESS          address to listen on (default 127.0.0.1); another one needs --password-file
  --password-file FILE    holds the password of the inbox page, and of the API without --token
  --token TOKEN           the one server token that may log in (default: any may)
  --stream ID             a further message stream; ID:broadcasts for one of newsletters; may be repeated
  --tls-cert FILE         certificate for STARTTLS in PEM (default: a new one for localhost)
  --tls-key FILE          its key in PEM
  --keep COUNT            mails to keep (default 10000); beyond it the oldest go
  --webhook URL           posts the events of every message stream there, with content; may be repeated
  --smtp-api-error-hooks  posts refused mails too (default: they are not, as at Postmark)
  --fail-seed NUMBER      about one mail in ten meets a fault, the same ones for the same number
  --quiet                 prints no line per mail
  -h, --help, --version
`

/** What a command line asks for. */
export interface Command {
  readonly action: 'start' | 'help' | 'version'
  readonly quiet: boolean
  readonly options: SandboxOptions
}

/**
 * Reads the arguments of the command line, and the files that they name.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export async function parseCommand(args: readonly string[]): Promise<Command> {
  const flags = parseFlags([...args])
  const { help, version, quiet = false } = flags
  if (help || version) return { action: help ? 'help' : 'version', quiet, options: {} }
  return { action: 'start', quiet, options: await toOptions(flags) }
}

type Flags = ReturnType<typeof parseFlags>

async function toOptions(flags: Flags): Promise<SandboxOptions> {
  const { port = ['2525'], host, stream = [], keep, webhook = [] } = flags
  const [first, ...ports] = port.map((text) => toPort('port', text))
  const broadcastsPort = flags['broadcasts-port']
  const seed = flags['fail-seed']
  const streams = stream.map(toStream)
  const sending = ['outbound', 'broadcast', ...streams.map(({ id }) => id)]
  return given({
    port: first,
    ports,
    broadcastsPort: broadcastsPort === undefined ? undefined : toPort('broadcasts-port', broadcastsPort),
    httpPort: toPort('http-port', flags['http-port'] ?? '8025'),
    host,
    password: await readPassword(flags['password-file'], host),
    serverToken: flags.token,
    streams,
    tls: await readCertificate(flags['tls-cert'], flags['tls-key']),
    keep: keep === undefined ? undefined : { mails: toNumber('keep', keep) },
    faults: seed === undefined ? undefined : seededFaults(toNumber('fail-seed', seed)),
    webhooks: webhook.flatMap((url) => sending.map((id) => ({ url, stream: id, triggers: TRIGGERS }))),
    settings: flags['smtp-api-error-hooks'] ? { enableSmtpApiErrorHooks: true } : undefined,
  })
}

function parseFlags(args: string[]) {
  const { tokens } = parseArgs({ args, options: FLAGS, strict: false, tokens: true })
  const names = tokens.flatMap((token) => (token.kind === 'option' ? [[token.rawName, true]] : []))
  refuseUnknown(Object.fromEntries(names), [...Object.keys(FLAGS).map((name) => `--${name}`), '-h'])
  try {
    return parseArgs({ args, options: FLAGS }).values
  } catch (error) {
    throw flagError((error as Error).message, error)
  }
}

const WITH_CONTENT = { enabled: true, includeContent: true } as const
const TRIGGERS: WebhookTriggers = {
  ...{ Delivery: true, Open: true, Click: true, SubscriptionChange: true },
  Bounce: WITH_CONTENT,
  SpamComplaint: WITH_CONTENT,
}

/** Leaves out what is not given. */
function given(options: { [K in keyof SandboxOptions]: SandboxOptions[K] | undefined }): SandboxOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** From a file: arguments can be read in the list of processes and in the history of the shell. */
async function readPassword(path: string | undefined, host: string | undefined): Promise<string | undefined> {
  const password = (await readText('password-file', path))?.trim()
  if (password === '') throw flagError(`--password-file: ${path} is empty.`)
  if (host === undefined || isLoopback(host) || password !== undefined) return password
  throw flagError(`--host ${host} needs --password-file: other machines can reach the page there.`)
}

async function readCertificate(certPath: string | undefined, keyPath: string | undefined) {
  const cert = await readText('tls-cert', certPath)
  const key = await readText('tls-key', keyPath)
  if (cert !== undefined && key !== undefined) return { cert, key }
  if (cert === key) return undefined
  throw flagError('--tls-cert and --tls-key go together.')
}

async function readText(flag: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw flagError(`--${flag}: the file cannot be read: ${(error as Error).message}`, error)
  }
}

/** @example 'news:broadcasts' */
function toStream(text: string): StreamSetting {
  const [id = '', type = 'transactional', ...more] = text.split(':')
  if ((type === 'transactional' || type === 'broadcasts') && more.length === 0) return { id, type }
  throw flagError(`--stream wants ID or ID:broadcasts, not "${text}".`)
}

function toPort(flag: string, text: string): number {
  const port = toNumber(flag, text)
  if (port <= 65_535) return port
  throw flagError(`--${flag} wants a port from 0 to 65535, not "${text}".`)
}

function toNumber(flag: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  throw flagError(`--${flag} wants a whole number, not "${text}".`)
}

function flagError(message: string, cause?: unknown): PostmarkError {
  return new PostmarkError('ERR_POSTMARK_OPTIONS', message, { hint: 'See --help.', cause })
}
