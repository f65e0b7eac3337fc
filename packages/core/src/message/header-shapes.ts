import { isRecord } from '../problems/describe.js'
import { HEADER_PREFIX } from '../vocabulary/vocabulary.js'

/** A header as written by the caller. */
export interface GivenHeader {
  readonly name: string
  readonly value: unknown
  /** Whether the name is a misspelling that Postmark ignores. */
  readonly wrong?: boolean
}

/** The headers of a message, split into Postmark's and all others in their original shape. */
export interface SplitHeaders {
  readonly postmark: readonly GivenHeader[]
  readonly rest: unknown
}

const PREFIX = HEADER_PREFIX.toLowerCase()

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what Nodemailer strips
const STRIPPED = /[\s\u0000-\u0020\u007f:]/g

/**
 * Whether Nodemailer would write this key as a Postmark header: it removes white space, and version 10 also removes
 * colons.
 */
export function isPostmarkHeader(key: string): boolean {
  const first = key.charCodeAt(0)
  // x, X, or a character that Nodemailer strips. Anything else is another header, which is the common case.
  if (first !== 120 && first !== 88 && first > 32 && first !== 58 && first < 127) return false
  return key.replace(STRIPPED, '').toLowerCase().startsWith(PREFIX)
}

/**
 * Splits the three shapes of Nodemailer's `headers` (map, array of pairs, one pair) without modifying them. An array
 * may have named properties: Nodemailer puts a transport's default headers there, where it ignores them.
 */
export function splitHeaders(headers: unknown): SplitHeaders {
  if (Array.isArray(headers)) {
    const postmark = headers
      .filter(isPair)
      .filter((pair) => isPostmarkHeader(pair.key))
      .flatMap(toGiven)
    const rest =
      postmark.length === 0 ? headers : headers.filter((pair) => !isPair(pair) || !isPostmarkHeader(pair.key))
    return { postmark: [...postmark, ...named(headers)], rest }
  }
  if (!isRecord(headers)) return { postmark: [], rest: headers }
  if (isPair(headers))
    return isPostmarkHeader(headers.key)
      ? { postmark: [...toGiven(headers), ...named(headers)], rest: {} }
      : { postmark: named(headers), rest: headers }
  const keys = Object.keys(headers)
  if (!keys.some(isPostmarkHeader)) return { postmark: [], rest: headers }
  return {
    postmark: keys.filter(isPostmarkHeader).flatMap((key) => toGiven({ key, value: headers[key] })),
    rest: Object.fromEntries(keys.filter((key) => !isPostmarkHeader(key)).map((key) => [key, headers[key]])),
  }
}

/** Default headers that Nodemailer added to an array or a pair as named properties, where it ignores them itself. */
function named(headers: object): GivenHeader[] {
  return Object.entries(headers)
    .filter(([key]) => isPostmarkHeader(key))
    .flatMap(([key, value]) => toGiven({ key, value }))
}

/** Whether the headers may contain more than the message's own. Defaults can only be distinguished by name. */
export function mayHoldDefaults(headers: unknown): boolean {
  return !Array.isArray(headers) || Object.keys(headers).length > headers.length
}

/** Adds lines to headers of any of the three shapes. Returns a new object in a shape that can contain all of them. */
export function joinHeaders(
  rest: unknown,
  entries: readonly { readonly key: string; readonly value: unknown }[],
): unknown {
  if (Array.isArray(rest)) return [...rest, ...entries]
  if (isRecord(rest) && isPair(rest)) return [rest, ...entries]
  const map = isRecord(rest) ? { ...rest } : {}
  for (const { key, value } of entries) map[key] = Object.hasOwn(map, key) ? [map[key], value].flat() : value
  return map
}

/** A header in the shape that Nodemailer accepts in an array. */
export interface HeaderPair {
  readonly key: string
  readonly value: unknown
}

/** The headers of any of the three shapes, in order. */
export function listHeaders(headers: unknown): HeaderPair[] {
  if (Array.isArray(headers)) return headers.filter(isPair)
  if (!isRecord(headers)) return []
  return isPair(headers) ? [headers] : Object.entries(headers).map(([key, value]) => ({ key, value }))
}

function isPair(value: unknown): value is HeaderPair {
  return isRecord(value) && typeof value.key === 'string' && 'value' in value
}

/** One header per value: an array means several lines, an object a prepared value. */
function toGiven({ key, value }: HeaderPair): GivenHeader[] {
  if (Array.isArray(value)) return value.flatMap((each) => toGiven({ key, value: each }))
  return [{ name: key, value: isRecord(value) && 'value' in value ? value.value : value }]
}
