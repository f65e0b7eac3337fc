import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import type { BounceClient } from './bounce-client.js'
import type { BounceId } from './bounce-id.js'
import type { ParseWebhookOptions } from './parse-webhook.js'
import { isObject } from './read-value.js'
import type { RepeatSettings } from './repeat.js'

/** How far each stream was read: plain JSON that you can store. @example { outbound: { at: '2026-01-31T12:00:00.000Z', id: 7 } } */
export type ReconcileCursor = Readonly<Record<string, { readonly at: string; readonly id: number | string }>>

/** Options of `reconcile`. An unknown option throws. */
export interface ReconcileOptions extends ParseWebhookOptions {
  /** The IDs of the streams to read; Postmark lists one stream at a time. @example ['outbound', 'broadcast'] */
  readonly streams: readonly string[]
  /** The bounce type to read; null reads every type. Default `SMTPApiError`. */
  readonly type?: string | null | undefined
  /** Where to begin (inclusive) for a stream that is not in the cursor. Default: the oldest bounce that is listed. */
  readonly since?: Date | undefined
  /** Where to end (exclusive). Default: now minus `settleMs`. */
  readonly until?: Date | undefined
  /** The cursor of an earlier run, to continue where that run ended. */
  readonly cursor?: ReconcileCursor | undefined
  /**
   * The minimum age of a bounce, in milliseconds. Default 30,000, because it is not documented how soon all bounces of a
   * moment are listed.
   */
  readonly settleMs?: number | undefined
  /** The number of bounces per request, at most 500. Default 500. */
  readonly pageSize?: number | undefined
  /**
   * How a request is repeated after 408, 429, 5xx or no reply. `attempts` counts all attempts (default 5). The pause
   * before the second one is random, up to `baseMs` (default 500 ms); that limit doubles each time, up to 30 s.
   */
  readonly retry?: { readonly attempts?: number; readonly baseMs?: number } | undefined
  /** Ends the run: the loop then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** How calls to the API are repeated and ended. */
export type RetryOptions = Pick<ReconcileOptions, 'retry' | 'signal'>

/** {@link ReconcileOptions} after the check. */
export interface ReconcileSettings {
  readonly streams: readonly string[]
  readonly type: string | undefined
  readonly until: Date | undefined
  readonly settleMs: number
  readonly pageSize: number
  readonly repeat: RepeatSettings
  readonly parse: ParseWebhookOptions
  /** Whether the dump of a refused email is read for its metadata, even if the list names the error code. */
  readonly forMetadata: boolean
  /** How far each stream was read, in milliseconds since 1970. */
  readonly positions: Map<string, Position>
}

/** A position in the order of a stream's bounces: by time, then by ID. */
export interface Position {
  readonly time: number
  readonly id: BounceId
}

const OPTIONS =
  'streams type since until cursor settleMs pageSize retry signal correlationKey traceparentKey'.split(' ')
const MOST_PER_PAGE = 500

/** Checks client and options. @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function toReconcileSettings(client: BounceClient, options: ReconcileOptions): ReconcileSettings {
  if (typeof client?.getBounces !== 'function' || typeof client.getBounceDump !== 'function')
    throw optionError(
      'client',
      client,
      'an object with getBounces and getBounceDump, such as a ServerClient of the package postmark',
    )
  refuseUnknown(options, OPTIONS)
  const { streams, type = 'SMTPApiError', since, until, correlationKey, traceparentKey } = options ?? {}
  if (!Array.isArray(streams) || streams.length === 0 || !streams.every(isName))
    throw optionError('streams', streams, 'a list of stream IDs such as ["outbound"]')
  if (type !== null && !isName(type))
    throw optionError('type', type, 'the name of a bounce type, or null for every type')
  const begin = readDate('since', since)
  const positions = readCursor(options.cursor)
  if (begin) {
    for (const stream of streams)
      if (!positions.has(stream)) positions.set(stream, { time: begin.getTime(), id: 0 })
  }
  return {
    streams: [...new Set(streams)],
    type: type ?? undefined,
    until: readDate('until', until),
    settleMs: readNumber('settleMs', options.settleMs, 30_000, 0),
    pageSize: readNumber('pageSize', options.pageSize, MOST_PER_PAGE, 1, MOST_PER_PAGE),
    repeat: toRepeatSettings(options),
    parse: { correlationKey, traceparentKey },
    forMetadata: false,
    positions,
  }
}

/** Checks how calls are repeated. @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function toRepeatSettings({ retry, signal }: RetryOptions): RepeatSettings {
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function')
    throw optionError('signal', signal, 'an AbortSignal')
  if (retry !== undefined && !isObject(retry))
    throw optionError('retry', retry, 'an object such as { attempts: 5 }')
  refuseUnknown(retry, ['attempts', 'baseMs'])
  return {
    attempts: readNumber('retry.attempts', retry?.attempts, 5, 1),
    baseMs: readNumber('retry.baseMs', retry?.baseMs, 500, 1),
    signal,
  }
}

/** Writes positions as a cursor. */
export function toCursor(positions: ReadonlyMap<string, Position>): ReconcileCursor {
  return Object.fromEntries(
    [...positions].map(([stream, { time, id }]) => [stream, { at: new Date(time).toISOString(), id }]),
  )
}

function readCursor(cursor: unknown = {}): Map<string, Position> {
  const refuse = () => optionError('cursor', cursor, 'the cursor of an earlier run')
  if (typeof cursor !== 'object' || cursor === null || Array.isArray(cursor)) throw refuse()
  return new Map(
    Object.entries(cursor).map(([stream, place]: [string, { at?: unknown; id?: unknown } | null]) => {
      const time = new Date(String(place?.at)).getTime()
      const id = place?.id
      if (Number.isNaN(time) || !isPlaceId(id)) throw refuse()
      return [stream, { time, id }]
    }),
  )
}

function isPlaceId(id: unknown): id is BounceId {
  return Number.isSafeInteger(id) || (typeof id === 'string' && /^(\d{1,40}|~[\w-]{43})$/.test(id))
}

/** Whether a value is a string that is not blank. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== ''
}

/** Reads a date. @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function readDate(name: string, value: unknown): Date | undefined {
  if (value === undefined || (value instanceof Date && !Number.isNaN(value.getTime()))) return value
  throw optionError(name, value, 'a Date')
}

/** Reads a whole number. @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function readNumber(
  name: string,
  value: unknown,
  byDefault: number,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  if (value === undefined) return byDefault
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most)
    return value as number
  const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`
  throw optionError(name, value, `a whole number ${range}`)
}
