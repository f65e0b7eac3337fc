import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { PostmarkError } from '@postmark-smtp/core'
import { refuseUnknown } from '@postmark-smtp/core/internal'
import type { StreamSetting } from '../mail/stream.js'
import type { SandboxOptions } from '../sandbox.js'
import type { SenderSetting } from '../server/sender-rules.js'
import { seededFaults } from '../smtp/faults/seeded-faults.js'
import { isLoopback } from '../smtp/loopback.js'
import type { WebhookTriggers } from '../webhooks/webhook.js'
import { FLAGS, readEnvironment } from './flags.js'

/** What a command line asks for. */
export interface Command {
  readonly action: 'start' | 'help' | 'version'
  readonly quiet: boolean
  /** Whether the inbox page is opened in a browser. */
  readonly open: boolean
  /** The file that the certificate is written to. */
  readonly caOut: string | undefined
  readonly suppressed: readonly Suppressed[]
  readonly options: SandboxOptions
}

/** An address that is suppressed at start, on `outbound` if there is no stream. */
interface Suppressed {
  readonly address: string
  readonly stream: string | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the arguments of the command line, the environment, and the files that they name.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export async function parseCommand(args: readonly string[], environment: Environment = {}): Promise<Command> {
  const flags = parseFlags([...args], environment)
  const { help, version, quiet = false, open = false, suppress = [], 'ca-out': caOut } = flags
  const suppressed = suppress.map(toSuppressed)
  const rest = { quiet, open, caOut, suppressed }
  if (help || version) return { action: help ? 'help' : 'version', ...rest, options: {} }
  return { action: 'start', ...rest, options: await toOptions(flags) }
}

type Flags = ReturnType<typeof parseFlags>

async function toOptions(flags: Flags): Promise<SandboxOptions> {
  const { port = ['2525'], host, stream = [], sender, keep, webhook = [] } = flags
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
    senders: sender?.map(toSender),
    account: flags.account as SandboxOptions['account'],
    tlsNames: flags['tls-name'],
    tls: await readCertificate(flags['tls-cert'], flags['tls-key']),
    data: flags.data,
    keep: keep === undefined ? undefined : { mails: toNumber('keep', keep) },
    faults: seed === undefined ? undefined : seededFaults(toNumber('fail-seed', seed)),
    webhooks: webhook.flatMap((url) => sending.map((id) => ({ url, stream: id, triggers: TRIGGERS }))),
    checkPrivateLinks: flags['check-private-links'] ?? false,
    settings: flags['smtp-api-error-hooks'] ? { enableSmtpApiErrorHooks: true } : undefined,
  })
}

function parseFlags(given: string[], environment: Environment) {
  const { tokens } = parseArgs({ args: given, options: FLAGS, strict: false, tokens: true })
  const options = tokens.filter((token) => token.kind === 'option')
  const names = options.map(({ rawName }) => [rawName, true])
  const shorts = Object.values(FLAGS).flatMap((flag) => ('short' in flag ? [`-${flag.short}`] : []))
  refuseUnknown(Object.fromEntries(names), [...Object.keys(FLAGS).map((name) => `--${name}`), ...shorts])
  const { args, unknown } = readEnvironment(environment, new Set(options.map(({ name }) => name)))
  if (unknown.length > 0)
    throw flagError(`No flag of the sandbox matches ${unknown.join(', ')} in the environment.`)
  try {
    return parseArgs({ args: [...args, ...given], options: FLAGS }).values
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

/** Reads it from a file, because others can read arguments in the process list and in the shell history. */
async function readPassword(path: string | undefined, host: string | undefined): Promise<string | undefined> {
  const password = (await readText('password-file', path))?.trim()
  if (password === '') throw flagError(`--password-file: ${path} is empty.`)
  if (host === undefined || isLoopback(host) || password !== undefined) return password
  throw flagError(`--host ${host} needs --password-file, because other machines can reach the page there.`)
}

async function readCertificate(certPath: string | undefined, keyPath: string | undefined) {
  const cert = await readText('tls-cert', certPath)
  const key = await readText('tls-key', keyPath)
  if (cert !== undefined && key !== undefined) return { cert, key }
  if (cert === key) return undefined
  throw flagError('--tls-cert and --tls-key must be given together.')
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
  throw flagError(`--stream must be ID or ID:broadcasts, not "${text}".`)
}

/** @example 'new@example.org:unconfirmed' */
function toSender(text: string): SenderSetting {
  const [address = '', state, ...more] = text.split(':')
  if (more.length === 0 && (state === undefined || state === 'unconfirmed'))
    return { address, confirmed: state === undefined }
  throw flagError(`--sender must be a domain or an address, or SENDER:unconfirmed, not "${text}".`)
}

/** @example 'ann@example.com:broadcast' */
function toSuppressed(text: string): Suppressed {
  const [address = '', stream, ...more] = text.split(':')
  if (/^[^\s@]+@[^\s@]+$/.test(address) && more.length === 0) return { address, stream }
  throw flagError(`--suppress must be ADDRESS or ADDRESS:STREAM, not "${text}".`)
}

function toPort(flag: string, text: string): number {
  const port = toNumber(flag, text)
  if (port <= 65_535) return port
  throw flagError(`--${flag} must be a port from 0 to 65535, not "${text}".`)
}

function toNumber(flag: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  throw flagError(`--${flag} must be a whole number, not "${text}".`)
}

function flagError(message: string, cause?: unknown): PostmarkError {
  return new PostmarkError('ERR_POSTMARK_OPTIONS', message, { hint: 'See --help.', cause })
}
