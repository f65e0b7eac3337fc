import type { ConnectionOptions } from 'node:tls'
import type { ConnectionBudget } from './connection-budget.js'
import { createConnectionBudget, processBudget } from './connection-budget.js'
import type { CredentialOptions, Credentials, SmtpToken, StreamType } from './credentials.js'
import { PostmarkError } from './error.js'
import { isLoopback } from './open-socket.js'
import type { CompileOptions, CompileSettings } from './settings.js'
import { optionError, readCompileOptions, refuseUnknown } from './settings.js'
import type { AuthMethod } from './smtp-auth.js'
import { AUTH_METHODS } from './smtp-auth.js'
import type { StreamRoutes } from './stream-routes.js'
import { readStreamRoutes } from './stream-routes.js'
import type { TimeLimits } from './time-limits.js'
import { DEADLINE_MS, TIME_LIMITS } from './time-limits.js'
import { parseTransportUrl } from './transport-url.js'
import type { PostmarkFields } from './vocabulary.js'

/** One stream of {@link PostmarkTransportOptions}: its type, credentials of its own, and default fields. */
export interface StreamOptions extends Omit<PostmarkFields, 'messageStream'> {
  /** Default: `broadcasts` for the stream `broadcast` and for a token `PM-B-…`, else `transactional`. */
  readonly type?: StreamType | undefined
  readonly serverToken?: string | undefined
  readonly smtpToken?: SmtpToken | undefined
  readonly credentials?: (() => Credentials | Promise<Credentials>) | undefined
}

/** Opens a socket in place of the race over the ports: a proxy, a tunnel. As Nodemailer's own `getSocket`. */
export type GetSocket = (
  options: object,
  done: (error: Error | null, socket?: { connection: object } | false) => void,
) => void

/** Options of {@link createPostmarkTransport}; an unknown one fails at once. */
export type PostmarkTransportOptions = CredentialOptions &
  CompileOptions & {
    /** Stream of mails that name none. Default: Postmark's own, `outbound`. */
    readonly messageStream?: string | undefined
    /** What differs by stream, by stream ID. */
    readonly streams?: Readonly<Record<string, StreamOptions>> | undefined
    /** Whether a mail may name only `messageStream` and the keys of `streams`. Default false. */
    readonly strictStreams?: boolean | undefined
    /** Takes the place of both of Postmark's hosts: a sandbox or a relay. */
    readonly host?: string | undefined
    /** Ports in the order of trial; they race. Default 587, 2525, 25. */
    readonly ports?: readonly number[] | undefined
    /** Mechanism to insist on. Default: PLAIN over TLS, a challenge (DIGEST-MD5, CRAM-MD5) without. */
    readonly authMethod?: AuthMethod | undefined
    /** As for Node's `tls.connect`; `rejectUnauthorized: false` on a loopback host alone. */
    readonly tls?: ConnectionOptions | undefined
    /** Sends without STARTTLS. On a loopback host alone. Default false. */
    readonly allowPlaintext?: boolean | undefined
    /** How connections live. */
    readonly pool?: (Partial<PoolSettings> & { readonly maxConnections?: number }) | undefined
    /** What is tried again, and how long. */
    readonly retry?: Partial<RetrySettings> | undefined
    /** Time limits of the phases, in milliseconds. Default: race 10 s, reply 60 s, reply to the final dot 120 s. */
    readonly timeouts?: Partial<TimeLimits> | undefined
    /** Opens the sockets, instead of the race over the ports. */
    readonly getSocket?: GetSocket | undefined
    /** As Nodemailer's; it never sees a credential. */
    readonly logger?: object | boolean | undefined
  }

/** How connections live. At most 10 are open in a process, unless `pool.maxConnections` says otherwise for a transport. */
export interface PoolSettings {
  /** Mails per connection. Default 100. */
  readonly maxMessages: number
  /** Age at which a connection is not used again, give or take a tenth. Default 300,000 ms. */
  readonly maxAgeMs: number
  /** Time without a mail after which a connection is closed, give or take a tenth. Default 30,000 ms. */
  readonly idleTimeoutMs: number
}

/** What is tried again: a mail that was deferred (4xx), or whose connection was lost before its body was out. */
export interface RetrySettings {
  /** How often a mail is tried in all. Default 4; 1 switches retries off. */
  readonly attempts: number
  /** Time for one mail with all its attempts, from when it leaves the queue. Default 180,000 ms. */
  readonly deadlineMs: number
  /** Longest pause before the second attempt; it doubles, up to 10 s, and is drawn at random below that. Default 500 ms. */
  readonly baseMs: number
  /** Whether to try again after an `unknown` outcome, at the risk of a second copy. Default false. */
  readonly unknown: boolean
}

const OPTIONS = (
  'serverToken smtpToken credentials messageStream streams strictStreams host ports authMethod tls allowPlaintext pool ' +
  'retry timeouts getSocket logger defaults preflight onWarning correlationId suppressions'
).split(' ')

/** The options of a transport after the check at construction. */
export interface TransportSettings extends StreamRoutes {
  readonly compile: CompileSettings
  readonly ports: readonly number[]
  readonly authMethod: AuthMethod | undefined
  readonly tls: ConnectionOptions
  readonly plaintext: boolean
  readonly pool: PoolSettings
  readonly budget: ConnectionBudget
  readonly retry: RetrySettings
  readonly timeLimits: TimeLimits
  readonly getSocket: GetSocket | undefined
  readonly logger: object | boolean
}

/**
 * Checks the options, or the URL, of a transport.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, _URL, _CREDENTIALS, _TLS, _FIELDS
 */
export function toTransportSettings(input: unknown): TransportSettings {
  const options = (typeof input === 'string' ? parseTransportUrl(input) : input) as PostmarkTransportOptions
  if (options === undefined || options === null) {
    throw new PostmarkError('ERR_POSTMARK_OPTIONS', 'The options are missing.')
  }
  refuseUnknown(options, OPTIONS)
  const {
    host,
    tls = {},
    allowPlaintext = false,
    messageStream,
    authMethod,
    getSocket,
    strictStreams = false,
  } = options
  if (host !== undefined && (typeof host !== 'string' || host === ''))
    throw optionError('host', host, 'a host name')
  if (authMethod !== undefined && !AUTH_METHODS.includes(authMethod)) {
    throw optionError('authMethod', authMethod, `one of ${AUTH_METHODS.join(', ')}`)
  }
  if (getSocket !== undefined && typeof getSocket !== 'function')
    throw optionError('getSocket', getSocket, 'a function')
  if (typeof strictStreams !== 'boolean') throw optionError('strictStreams', strictStreams, 'true or false')
  checkSafety(host, tls, allowPlaintext)
  const ports = readPorts(options.ports)
  const routes = readStreamRoutes(options, ports)
  const defaults = { ...options.defaults, ...(messageStream === undefined ? {} : { messageStream }) }
  const { maxConnections, ...pool } = readNumbers('pool', options.pool, {
    maxConnections: 0,
    maxMessages: 100,
    maxAgeMs: 300_000,
    idleTimeoutMs: 30_000,
  })
  const { unknown = false, ...retry } = options.retry ?? {}
  if (typeof unknown !== 'boolean') throw optionError('retry.unknown', unknown, 'true or false')
  return {
    ...routes,
    compile: readCompileOptions(
      { ...options, defaults },
      {
        fields: routes.fields,
        known: routes.known,
        strict: strictStreams,
        unnamed: routes.target(undefined).onlyStream,
      },
    ),
    ports,
    authMethod,
    tls: { minVersion: 'TLSv1.2', ...tls },
    plaintext: allowPlaintext,
    pool,
    budget: maxConnections === 0 ? processBudget : createConnectionBudget(maxConnections),
    retry: { ...readNumbers('retry', retry, { attempts: 4, deadlineMs: DEADLINE_MS, baseMs: 500 }), unknown },
    timeLimits: readNumbers('timeouts', options.timeouts, TIME_LIMITS),
    getSocket,
    logger: options.logger ?? false,
  }
}

function checkSafety(host: string | undefined, tls: ConnectionOptions, allowPlaintext: unknown): void {
  if (typeof allowPlaintext !== 'boolean')
    throw optionError('allowPlaintext', allowPlaintext, 'true or false')
  const loopback = host !== undefined && isLoopback(host)
  const hint = 'For a sandbox in another container, trust its certificate through `tls: { ca }`.'
  const refuse = (message: string) => new PostmarkError('ERR_POSTMARK_TLS', message, { hint })
  if (allowPlaintext && !loopback) {
    throw refuse(
      'allowPlaintext is for a loopback host alone: the mail and its token would cross a network in clear.',
    )
  }
  if (tls.rejectUnauthorized === false && !loopback) {
    throw refuse(
      'tls.rejectUnauthorized: false is for a loopback host alone: anybody could pose as the server.',
    )
  }
  for (const version of [tls.minVersion, tls.maxVersion]) {
    if (version === 'TLSv1' || version === 'TLSv1.1')
      throw refuse(`${version} is not safe; TLS 1.2 is the least.`)
  }
}

function readPorts(ports: unknown = [587, 2525, 25]): readonly number[] {
  if (!Array.isArray(ports) || ports.length === 0)
    throw optionError('ports', ports, 'an array such as [587, 2525, 25]')
  for (const port of ports) {
    if (port === 465) {
      throw new PostmarkError(
        'ERR_POSTMARK_TLS',
        'Port 465 is for implicit TLS, which Postmark does not offer. Use 587, 2525 or 25.',
      )
    }
    if (!Number.isInteger(port) || port < 1 || port > 65535)
      throw optionError('ports', port, 'numbers from 1 to 65535')
  }
  return [...new Set(ports as number[])]
}

/** Reads a group of options that are all numbers of 1 or more. */
function readNumbers<N extends Readonly<Record<string, number>>>(
  name: string,
  given: unknown = {},
  defaults: N,
): { readonly [K in keyof N]: number } {
  refuseUnknown(given, Object.keys(defaults))
  const numbers: Record<string, number> = { ...defaults }
  for (const [key, value] of Object.entries(given as object)) {
    if (value === undefined) continue
    if (typeof value !== 'number' || !(value >= 1))
      throw optionError(`${name}.${key}`, value, 'a number of 1 or more')
    numbers[key] = value
  }
  return numbers as { readonly [K in keyof N]: number }
}
