import type { ConnectionOptions } from 'node:tls'
import { readMessageDefaults } from '../compile/message-defaults.js'
import type { CompileSettings } from '../compile/settings.js'
import { readCompileOptions } from '../compile/settings.js'
import type { MailOptions } from '../compile/take-mail.js'
import type { SendOnceSettings } from '../delivery/claim.js'
import { ConnectionBudget, processBudget } from '../delivery/connection-budget.js'
import type { RetrySettings } from '../delivery/retry.js'
import type { RoutePlan } from '../delivery/route.js'
import type { SendOnceStore } from '../delivery/send-once-store.js'
import { mergeFields } from '../fields/merge-fields.js'
import { optionError, refuseUnknown } from '../problems/check-options.js'
import { describe, isRecord } from '../problems/describe.js'
import { PostmarkError, UNSET_URL } from '../problems/error.js'
import { createRedactor } from '../problems/redact.js'
import type { GetSocket } from '../smtp/given-socket.js'
import { createGivenSockets } from '../smtp/given-socket.js'
import type { Pipelining } from '../smtp/grouping.js'
import { AUTH_METHODS } from '../smtp/login.js'
import { isLoopback } from '../smtp/loopback.js'
import { createPortRace } from '../smtp/race-ports.js'
import { createTlsContext } from '../smtp/start-tls.js'
import { TIME_LIMITS } from '../smtp/time-limits.js'
import type { Account, StreamRoutes } from './stream-routes.js'
import { readStreamRoutes } from './stream-routes.js'
import type { PostmarkTransportOptions } from './transport-options.js'
import { parseTransportUrl, URL_FORM } from './transport-url.js'

const OPTIONS = (
  'url serverToken smtpToken credentials messageStream streams strictStreams host ports authMethod tls allowPlaintext pool ' +
  'retry timeouts getSocket pipelining logger defaults preflight onWarning correlationId suppressions suppressed ' +
  'message disableFileAccess disableUrlAccess sendOnce'
).split(' ')

/** The options of a transport after the check at construction. */
export interface TransportSettings extends StreamRoutes {
  readonly compile: CompileSettings
  /** What each message gets. */
  readonly mail: MailOptions
  readonly budget: ConnectionBudget
  readonly maxQueued: number
  readonly sendOnce: SendOnceSettings | undefined
}

/** For one mail with all its attempts. */
const DEADLINE_MS = 180_000

/**
 * Checks the options, or the URL, of a transport.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, _URL, _CREDENTIALS, _TLS, _FIELDS
 */
export function toTransportSettings(input: unknown, messageDefaults?: unknown): TransportSettings {
  const options = readInput(input) as PostmarkTransportOptions
  refuseUnknown(options, OPTIONS)
  const mail = readMailOptions(options, messageDefaults)
  const { host, tls = {}, allowPlaintext = false, messageStream, strictStreams = false } = options
  if (host !== undefined && (typeof host !== 'string' || host === ''))
    throw optionError('host', host, 'a host name')
  if (typeof strictStreams !== 'boolean') throw optionError('strictStreams', strictStreams, 'true or false')
  if (!isRecord(tls)) throw optionError('tls', tls, 'an object such as { ca }')
  checkSafety(host, tls, allowPlaintext)
  const { maxConnections, maxQueued, ...pool } = readPool(options.pool)
  const budget = maxConnections === undefined ? processBudget : new ConnectionBudget(maxConnections)
  const toPlan = createPlanner(options, { pool, budget, retry: readRetry(options.retry) })
  const routes = readStreamRoutes(options, toPlan)
  const sendOnce = readSendOnce(options.sendOnce)
  const defaults = { ...options.defaults, ...(messageStream === undefined ? {} : { messageStream }) }
  const compile = readCompileOptions(
    { ...options, defaults },
    {
      fields: routes.fields,
      known: routes.known,
      strict: strictStreams,
      unnamed: routes.target(undefined).onlyStream,
    },
    sendOnce !== undefined,
  )
  const all = mail.message
    ? { ...compile, defaults: mergeFields(compile.defaults, mail.message.postmark) }
    : compile
  return { ...routes, compile: all, mail, budget, maxQueued, sendOnce }
}

/** What each message gets: default fields, which may be given in two places, and what it may read. */
function readMailOptions(
  { message, disableFileAccess, disableUrlAccess }: PostmarkTransportOptions,
  messageDefaults: unknown,
): MailOptions {
  if (message !== undefined && messageDefaults !== undefined) {
    throw new PostmarkError(
      'ERR_POSTMARK_OPTIONS',
      'Option message and the second argument both give default fields of messages. Remove one of them.',
    )
  }
  for (const [name, value] of Object.entries({ disableFileAccess, disableUrlAccess })) {
    if (value !== undefined && typeof value !== 'boolean') throw optionError(name, value, 'true or false')
  }
  return { message: readMessageDefaults(message ?? messageDefaults), disableFileAccess, disableUrlAccess }
}

/** Checks what all routes of a transport have in common, and returns what makes the plan of one. */
function createPlanner(
  options: PostmarkTransportOptions,
  shared: Pick<RoutePlan, 'pool' | 'budget' | 'retry'>,
): (host: string, account: Account) => RoutePlan {
  const {
    authMethod,
    getSocket,
    tls = {},
    allowPlaintext = false,
    pipelining = 'auto',
    logger = false,
  } = options
  if (authMethod !== undefined && !AUTH_METHODS.includes(authMethod))
    throw optionError('authMethod', authMethod, `one of ${AUTH_METHODS.join(', ')}`)
  if (getSocket !== undefined && typeof getSocket !== 'function')
    throw optionError('getSocket', getSocket, 'a function')
  if (!PIPELINING.includes(pipelining))
    throw optionError('pipelining', pipelining, '"auto", "envelope" or false')
  if (typeof logger !== 'boolean' && !isRecord(logger))
    throw optionError('logger', logger, 'true, false, or an object with methods such as `info` and `debug`')
  const ports = readPorts(options.ports)
  const limits = readNumbers('timeouts', options.timeouts, TIME_LIMITS)
  const context = allowPlaintext ? undefined : createTlsContext(tls)
  const toOpener = (host: string) => {
    const race = createPortRace(host, ports)
    return getSocket ? createGivenSockets(getSocket as GetSocket, host, ports[0]!, race) : race
  }
  return (host, { login, rotates }) => ({
    ...shared,
    pipelining,
    session: {
      host,
      opener: toOpener(host),
      tls: context,
      authMethod,
      login,
      rotates,
      limits,
      logger,
      redactor: createRedactor(),
    },
  })
}

const PIPELINING: readonly Pipelining[] = ['auto', 'envelope', false]

function readPool(
  given: unknown,
): RoutePlan['pool'] & { maxConnections: number | undefined; maxQueued: number } {
  if (given !== undefined && !isRecord(given))
    throw optionError('pool', given, 'an object such as { maxConnections: 5 }')
  const { maxConnections, maxQueued, maxMessages, ...times } = given ?? {}
  return {
    ...readNumbers('pool', times, { maxAgeMs: 300_000, idleTimeoutMs: 30_000 }, [
      'maxConnections',
      'maxQueued',
      'maxMessages',
    ]),
    maxConnections:
      maxConnections === undefined ? undefined : readCount('pool.maxConnections', maxConnections),
    maxQueued: maxQueued === undefined ? Number.POSITIVE_INFINITY : readCount('pool.maxQueued', maxQueued),
    maxMessages: maxMessages === undefined ? 100 : readCount('pool.maxMessages', maxMessages),
  }
}

function readRetry(given: unknown): RetrySettings {
  if (given !== undefined && !isRecord(given))
    throw optionError('retry', given, 'an object such as { attempts: 1 }')
  const { unknown = false, attempts, ...times } = given ?? {}
  if (typeof unknown !== 'boolean') throw optionError('retry.unknown', unknown, 'true or false')
  return {
    ...readNumbers('retry', times, { deadlineMs: DEADLINE_MS, baseMs: 1_000 }, ['attempts', 'unknown']),
    attempts: attempts === undefined ? 10 : readCount('retry.attempts', attempts),
    unknown,
  }
}

function readSendOnce(given: unknown): SendOnceSettings | undefined {
  if (given === undefined) return undefined
  if (isStore(given)) return { store: given, leaseMs: 30_000, timeoutMs: 5_000 }
  if (!isRecord(given) || !isStore(given.store)) {
    const wanted = 'a send-once store such as createMemorySendOnce(), or { store, leaseMs }'
    throw optionError(
      isRecord(given) ? 'sendOnce.store' : 'sendOnce',
      isRecord(given) ? given.store : given,
      wanted,
    )
  }
  const { store, ...times } = given
  const read = readNumbers('sendOnce', times, { leaseMs: 30_000, timeoutMs: 5_000 }, ['store'])
  if (read.leaseMs < 1_000) throw optionError('sendOnce.leaseMs', read.leaseMs, 'milliseconds, 1,000 or more')
  return { store, ...read }
}

function isStore(value: unknown): value is SendOnceStore {
  const store = value as Partial<SendOnceStore> | null | undefined
  return [store?.claim, store?.renew, store?.settle, store?.resolve, store?.unknowns].every(
    (method) => typeof method === 'function',
  )
}

/** The options, with those that a URL stands for in its place. */
function readInput(input: unknown): object {
  if (typeof input === 'string') return parseTransportUrl(input)
  if (!isRecord(input))
    throw new PostmarkError(
      'ERR_POSTMARK_OPTIONS',
      `The options are missing: a URL or an object is needed. ${UNSET_URL}`,
    )
  if (!('url' in input)) return input
  const { url, ...options } = input
  // The value is not quoted, since it may hold the token.
  if (typeof url !== 'string')
    throw new PostmarkError(
      'ERR_POSTMARK_URL',
      `Option url is ${describe(url)}; it must be a text such as ${URL_FORM}. ${UNSET_URL}`,
    )
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

/** The longest time that an option takes: 21 days. A timer of Node holds 24.8; beyond that it fires at once. */
const LONGEST_MS = 1_814_400_000

/** Reads a group of options that are all times in milliseconds. @param others what the group knows besides */
function readNumbers<N extends Readonly<Record<string, number>>>(
  name: string,
  given: unknown = {},
  defaults: N,
  others: readonly string[] = [],
): { readonly [K in keyof N]: number } {
  refuseUnknown(given, [...Object.keys(defaults), ...others], name)
  const numbers: Record<string, number> = { ...defaults }
  for (const [key, value] of Object.entries(given as object)) {
    if (value === undefined) continue
    if (typeof value !== 'number' || !(value >= 1 && value <= LONGEST_MS))
      throw optionError(`${name}.${key}`, value, `milliseconds, from 1 to ${LONGEST_MS} (21 days)`)
    numbers[key] = value
  }
  return numbers as { readonly [K in keyof N]: number }
}

/** A count of 1 or more; Infinity is no limit. */
function readCount(name: string, value: unknown): number {
  if (
    typeof value === 'number' &&
    value >= 1 &&
    (Number.isSafeInteger(value) || value === Number.POSITIVE_INFINITY)
  )
    return value
  throw optionError(name, value, 'a whole number of 1 or more')
}
