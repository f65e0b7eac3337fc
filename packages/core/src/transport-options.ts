import type { ConnectionOptions } from 'node:tls'
import type { CredentialOptions, Login, SmtpToken, StreamType } from './credentials.js'
import { readAccessKey, toLogin } from './credentials.js'
import { PostmarkError } from './error.js'
import { isLoopback } from './open-socket.js'
import { toSentence } from './problem.js'
import { isRecord, streamProblem } from './read-fields.js'
import type { CompileOptions, CompileSettings } from './settings.js'
import { optionError, parseDefaults, readCompileOptions, refuseUnknown } from './settings.js'
import type { AuthMethod } from './smtp-auth.js'
import { parseTransportUrl } from './transport-url.js'
import type { ParsedPostmarkFields, PostmarkFields } from './vocabulary.js'
import { POSTMARK_FIELDS } from './vocabulary.js'

/** One stream of {@link PostmarkTransportOptions}: its type, credentials of its own, and default fields. */
export interface StreamOptions extends Omit<PostmarkFields, 'messageStream'> {
  /** Default: `broadcasts` for the stream `broadcast` and for a token `PM-B-…`, else `transactional`. */
  readonly type?: StreamType | undefined
  readonly serverToken?: string | undefined
  readonly smtpToken?: SmtpToken | undefined
}

/** Options of {@link createPostmarkTransport}; an unknown one fails at once. */
export type PostmarkTransportOptions = CredentialOptions &
  CompileOptions & {
    /** Stream of mails that name none. Default: Postmark's own, `outbound`. */
    readonly messageStream?: string | undefined
    /** What differs by stream, by stream ID. */
    readonly streams?: Readonly<Record<string, StreamOptions>> | undefined
    /** Takes the place of both of Postmark's hosts: a sandbox or a relay. */
    readonly host?: string | undefined
    /** Ports in the order of trial. Default 587, 2525, 25. */
    readonly ports?: readonly number[] | undefined
    /** Mechanism to insist on. Default: PLAIN over TLS, CRAM-MD5 without. */
    readonly authMethod?: AuthMethod | undefined
    /** As for Node's `tls.connect`; `rejectUnauthorized: false` on a loopback host alone. */
    readonly tls?: ConnectionOptions | undefined
    /** Sends without STARTTLS. On a loopback host alone. Default false. */
    readonly allowPlaintext?: boolean | undefined
    /** `maxConnections` per host and credentials, default 5; `maxMessages` per connection, default 100. */
    readonly pool?: { readonly maxConnections?: number; readonly maxMessages?: number } | undefined
    /** As Nodemailer's; it never sees a credential. */
    readonly logger?: object | boolean | undefined
  }

const OPTIONS = [
  'serverToken',
  'smtpToken',
  'messageStream',
  'streams',
  'host',
  'ports',
  'authMethod',
  'tls',
  'allowPlaintext',
  'pool',
  'logger',
  'defaults',
  'preflight',
  'onWarning',
  'correlationId',
]
const STREAM_OPTIONS = [
  'type',
  'serverToken',
  'smtpToken',
  ...Object.keys(POSTMARK_FIELDS).filter((field) => field !== 'messageStream'),
]

const HOSTS: Readonly<Record<StreamType, string>> = {
  transactional: 'smtp.postmarkapp.com',
  broadcasts: 'smtp-broadcasts.postmarkapp.com',
}

/** Where a stream's mails go, and who logs in there. */
export interface Route {
  readonly host: string
  readonly login: Login
  /** The one stream that the credentials are for; undefined for a server token. */
  readonly onlyStream: string | undefined
}

/** The options of a transport after the check at construction. */
export interface TransportSettings {
  readonly compile: CompileSettings
  readonly ports: readonly number[]
  readonly authMethod: AuthMethod | undefined
  readonly tls: ConnectionOptions
  readonly plaintext: boolean
  readonly pool: { readonly maxConnections: number; readonly maxMessages: number }
  readonly logger: object | boolean
  /** The route of a stream; undefined stands for a mail that names none. */
  route(stream: string | undefined): Route
  /** The routes that the options name. */
  readonly declared: readonly Route[]
}

/**
 * Checks the options, or the URL, of a transport.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, _URL, _CREDENTIALS, _TLS, _FIELDS
 */
export function toTransportSettings(input: unknown): TransportSettings {
  const options = (typeof input === 'string' ? parseTransportUrl(input) : input) as PostmarkTransportOptions
  if (options === undefined || options === null)
    throw new PostmarkError('ERR_POSTMARK_OPTIONS', 'The options are missing.')
  refuseUnknown(options, OPTIONS)
  const {
    host,
    tls = {},
    allowPlaintext = false,
    messageStream,
    streams = {},
    pool = {},
    authMethod,
  } = options
  if (host !== undefined && (typeof host !== 'string' || host === ''))
    throw optionError('host', host, 'a host name')
  if (authMethod !== undefined && !['PLAIN', 'LOGIN', 'CRAM-MD5'].includes(authMethod)) {
    throw optionError('authMethod', authMethod, '"PLAIN", "LOGIN" or "CRAM-MD5"')
  }
  checkSafety(host, tls, allowPlaintext)
  const { route, declared, fields } = readStreams(options, streams)
  const defaults = { ...options.defaults, ...(messageStream === undefined ? {} : { messageStream }) }
  return {
    compile: readCompileOptions({ ...options, defaults }, fields),
    ports: readPorts(options.ports),
    authMethod,
    tls: { minVersion: 'TLSv1.2', ...tls },
    plaintext: allowPlaintext,
    pool: readPool(pool),
    logger: options.logger ?? false,
    route,
    declared,
  }
}

function checkSafety(host: string | undefined, tls: ConnectionOptions, allowPlaintext: unknown): void {
  if (typeof allowPlaintext !== 'boolean')
    throw optionError('allowPlaintext', allowPlaintext, 'true or false')
  const loopback = host !== undefined && isLoopback(host)
  const hint = 'For a sandbox in another container, trust its certificate through `tls: { ca }`.'
  if (allowPlaintext && !loopback) {
    throw new PostmarkError(
      'ERR_POSTMARK_TLS',
      'allowPlaintext is for a loopback host alone: the mail and its token would cross a network in clear.',
      { hint },
    )
  }
  if (tls.rejectUnauthorized === false && !loopback) {
    throw new PostmarkError(
      'ERR_POSTMARK_TLS',
      'tls.rejectUnauthorized: false is for a loopback host alone: anybody could pose as the server.',
      { hint },
    )
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
  return [...ports]
}

function readPool(pool: unknown): TransportSettings['pool'] {
  refuseUnknown(pool, ['maxConnections', 'maxMessages'])
  const given = pool as Readonly<Record<string, unknown>>
  const read = (name: string, fallback: number) => {
    const value = given[name] ?? fallback
    if (typeof value !== 'number' || !(value >= 1))
      throw optionError(`pool.${name}`, value, 'a number of 1 or more')
    return value
  }
  return { maxConnections: read('maxConnections', 5), maxMessages: read('maxMessages', 100) }
}

function readStreams(options: PostmarkTransportOptions, streams: unknown) {
  if (!isRecord(streams)) throw optionError('streams', streams, 'an object of stream IDs')
  const main = toLogin(options)
  const routes = new Map<string, Route>()
  const fields = new Map<string, ParsedPostmarkFields>()
  const routeOf = (stream: string | undefined, given: StreamOptions = {}): Route => {
    const own = given.serverToken !== undefined || given.smtpToken !== undefined
    const login = own ? toLogin(given, `streams.${stream}.`) : main
    const key = readAccessKey(login.user)
    const type =
      given.type ??
      (own || stream === undefined ? key.type : undefined) ??
      (stream === 'broadcast' ? 'broadcasts' : key.type)
    const bySmtpToken = own ? given.smtpToken !== undefined : options.smtpToken !== undefined
    const onlyStream = bySmtpToken ? (own ? stream : (options.messageStream ?? key.stream)) : undefined
    return { host: options.host ?? HOSTS[type ?? 'transactional'], login, onlyStream }
  }
  for (const [stream, given] of Object.entries(streams)) {
    const problem = streamProblem(stream, `streams.${stream}`)
    if (problem)
      throw new PostmarkError('ERR_POSTMARK_OPTIONS', `Option ${toSentence(problem)}`, {
        problems: [problem],
      })
    refuseUnknown(given, STREAM_OPTIONS)
    const { type, serverToken, smtpToken, ...defaults } = given as StreamOptions
    if (type !== undefined && !Object.hasOwn(HOSTS, type))
      throw optionError(`streams.${stream}.type`, type, '"transactional" or "broadcasts"')
    routes.set(stream, routeOf(stream, given as StreamOptions))
    fields.set(stream, parseDefaults(defaults, `streams.${stream}`))
  }
  const initial = options.messageStream
  const fallback = (initial === undefined ? undefined : routes.get(initial)) ?? routeOf(initial)
  const route = (stream: string | undefined) =>
    stream === undefined ? fallback : (routes.get(stream) ?? routeOf(stream))
  return { route, declared: [fallback, ...routes.values()], fields }
}
