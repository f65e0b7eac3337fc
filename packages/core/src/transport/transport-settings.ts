import type { ConnectionOptions } from 'node:tls'
import type { CompileSettings } from '../compile/settings.js'
import { readCompileOptions } from '../compile/settings.js'
import type { ConnectionBudget } from '../delivery/connection-budget.js'
import { createConnectionBudget, processBudget } from '../delivery/connection-budget.js'
import { optionError, refuseUnknown } from '../problems/check-options.js'
import { isRecord } from '../problems/describe.js'
import { PostmarkError, UNSET_VARIABLE } from '../problems/error.js'
import { isLoopback } from '../smtp/open-socket.js'
import type { AuthMethod } from '../smtp/smtp-auth.js'
import { AUTH_METHODS } from '../smtp/smtp-auth.js'
import type { TimeLimits } from '../smtp/time-limits.js'
import { DEADLINE_MS, TIME_LIMITS } from '../smtp/time-limits.js'
import type { StreamRoutes } from './stream-routes.js'
import { readStreamRoutes } from './stream-routes.js'
import type { GetSocket, PoolSettings, PostmarkTransportOptions, RetrySettings } from './transport-options.js'
import { parseTransportUrl } from './transport-url.js'

const OPTIONS = (
  'url serverToken smtpToken credentials messageStream streams strictStreams host ports authMethod tls allowPlaintext pool ' +
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
  const options = readInput(input) as PostmarkTransportOptions
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

/** The options, with those that a URL stands for in its place. */
function readInput(input: unknown): object {
  if (typeof input === 'string') return parseTransportUrl(input)
  if (!isRecord(input))
    throw new PostmarkError(
      'ERR_POSTMARK_OPTIONS',
      `The options are missing: a URL or an object is needed. ${UNSET_VARIABLE}`,
    )
  if (!('url' in input)) return input
  const { url, ...options } = input
  // The value is not quoted, since it may hold the token.
  if (typeof url !== 'string')
    throw new PostmarkError('ERR_POSTMARK_URL', `Option url is no text. ${UNSET_VARIABLE}`)
  const { streams, ...read } = parseTransportUrl(url)
  const beside = Object.keys(options).filter((key) => options[key] !== undefined)
  const twice = beside.find((key) => key in read || CREDENTIALS.includes(key))
  if (twice) {
    throw new PostmarkError(
      'ERR_POSTMARK_OPTIONS',
      `Option ${twice} stands beside url, which says that already. Remove one of them.`,
    )
  }
  return { ...options, ...read, ...mergeStreams(streams, options.streams) }
}

const CREDENTIALS = ['serverToken', 'smtpToken', 'credentials']

/** The stream of the URL, with its type, among those of the option. */
function mergeStreams(fromUrl: unknown, given: unknown): { readonly streams?: unknown } {
  if (!isRecord(fromUrl)) return {}
  if (!isRecord(given)) return { streams: given ?? fromUrl }
  const merged = Object.entries(fromUrl).map(([id, type]) => [
    id,
    { ...(type as object), ...(given[id] as object) },
  ])
  return { streams: { ...given, ...Object.fromEntries(merged) } }
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
