import { isRecord } from './describe.js'
import { meaningOf } from './header-entries.js'
import type { PostmarkProblem } from './problem.js'
import { INVALID_REQUEST } from './problem.js'
import type { Reading } from './read-fields.js'
import { NOTHING_READ, readFields } from './read-fields.js'
import { readText } from './read-text.js'
import type { PostmarkField } from './vocabulary.js'
import { HEADER_PREFIX, MISSPELLED_HEADERS, POSTMARK_FIELDS, RESERVED_HEADERS } from './vocabulary.js'

/** A header as somebody wrote it. */
export interface GivenHeader {
  readonly name: string
  readonly value: unknown
  /** Whether the name is a mistake that Postmark ignores. */
  readonly wrong?: boolean
}

/** The headers of a message, parted: Postmark's, and all others in the shape they had. */
export interface SplitHeaders {
  readonly postmark: readonly GivenHeader[]
  readonly rest: unknown
}

const PREFIX = HEADER_PREFIX.toLowerCase()
const RESERVED = new Set(RESERVED_HEADERS.map((name) => name.toLowerCase()))

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what Nodemailer strips
const STRIPPED = /[\s\u0000-\u0020\u007f:]/g

/** Whether Nodemailer would write this key as a Postmark header: it drops white space, and on 10 colons too. */
export function isPostmarkHeader(key: string): boolean {
  const first = key.charCodeAt(0)
  // x, X, or something that Nodemailer strips: all else is another header, which is the common case.
  if (first !== 120 && first !== 88 && first > 32 && first !== 58 && first < 127) return false
  return key.replace(STRIPPED, '').toLowerCase().startsWith(PREFIX)
}

/**
 * Parts the three shapes of Nodemailer's `headers` (map, array of pairs, one pair) without touching them.
 * An array may carry named properties: Nodemailer puts a transport's default headers there, where it ignores them.
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

/** Default headers that Nodemailer put on an array or a pair as named properties, where it ignores them itself. */
function named(headers: object): GivenHeader[] {
  return Object.entries(headers)
    .filter(([key]) => isPostmarkHeader(key))
    .flatMap(([key, value]) => toGiven({ key, value }))
}

/** Whether the headers may hold more than the message's own: defaults are told from them by name alone. */
export function mayHoldDefaults(headers: unknown): boolean {
  return !Array.isArray(headers) || Object.keys(headers).length > headers.length
}

/** Adds lines to headers of any of the three shapes, as a new object of a shape that holds them all. */
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

interface Pair {
  readonly key: string
  readonly value: unknown
}

function isPair(value: unknown): value is Pair {
  return isRecord(value) && typeof value.key === 'string' && 'value' in value
}

/** One header a value: an array stands for several lines, an object for a value that is prepared. */
function toGiven({ key, value }: Pair): GivenHeader[] {
  if (Array.isArray(value)) return value.flatMap((each) => toGiven({ key, value: each }))
  return [{ name: key, value: isRecord(value) && 'value' in value ? value.value : value }]
}

/** A level read from explicit headers; `kept` are those of Postmark's prefix that are no field. */
export interface HeaderReading extends Reading {
  readonly kept: readonly GivenHeader[]
  /** Second spellings of a field where `lenient` was asked for. */
  readonly twins: readonly PostmarkProblem[]
}

const NO_HEADERS: HeaderReading = { ...NOTHING_READ, kept: [], twins: [] }

/**
 * Reads explicit Postmark headers.
 * @param lenient two spellings of one field go to `twins`: they may come from two places that we cannot tell apart
 */
export function readHeaders(given: readonly GivenHeader[], path: string, lenient = false): HeaderReading {
  if (given.length === 0) return NO_HEADERS
  const problems: PostmarkProblem[] = []
  const kept: GivenHeader[] = []
  const twins: PostmarkProblem[] = []
  const values = new Map<string, unknown>()
  const metadata = new Map<string, readonly [string, unknown]>()
  const spellings = new Map<string, string>()
  for (const { name, value } of given) {
    if (value === undefined) continue
    const at = `${path}.${name}`
    if (!/^[!-9;-~]+$/.test(name)) {
      problems.push(
        problem(
          `${path}[${JSON.stringify(name)}]`,
          'is not a header name',
          'printable ASCII without spaces or colons',
          'Write the name exactly.',
        ),
      )
      continue
    }
    const lower = name.toLowerCase()
    const meaning = meaningOf(name)
    if (!meaning) {
      const wrong = wrongName(name, at)
      if (wrong) problems.push(wrong)
      // A name outside the table may be a header that is newer than this version: it passes.
      const text = readText(value ?? '', at, Number.POSITIVE_INFINITY, (found) =>
        problems.push({ severity: 'error', errorCode: INVALID_REQUEST, ...found }),
      )
      if (text !== undefined) kept.push({ name, value: text, wrong: wrong !== undefined })
      continue
    }
    const before = spellings.get(lower)
    if (before !== undefined) {
      const twice = problem(
        at,
        'is given twice',
        'one line per field',
        'Remove one. What Postmark does with two is not known; the first is kept.',
      )
      if (lenient && before !== name) twins.push({ ...twice, severity: 'warning' })
      else problems.push(twice)
      continue
    }
    spellings.set(lower, name)
    if (meaning.metadataKey === undefined) values.set(meaning.field, value)
    else metadata.set(lower, [meaning.metadataKey, value])
  }
  const fields = Object.fromEntries(values)
  if (metadata.size > 0) fields.metadata = Object.fromEntries(metadata.values())
  const reading = readFields(fields, path)
  problems.push(...reading.problems.map((found) => ({ ...found, path: toHeaderPath(found.path, path) })))
  return { fields: reading.fields, problems, kept, twins }
}

function wrongName(name: string, path: string): PostmarkProblem | undefined {
  const lower = name.toLowerCase()
  const meant = MISSPELLED_HEADERS.get(lower)
  if (meant)
    return problem(
      path,
      'is not a header of Postmark',
      `the header is ${meant}`,
      `Postmark ignores this name. Write ${meant}.`,
    )
  if (lower === POSTMARK_FIELDS.metadata.header.toLowerCase()) {
    return problem(
      path,
      'has no key',
      `${POSTMARK_FIELDS.metadata.header}<key>`,
      'Append the key to the name.',
    )
  }
  if (RESERVED.has(lower))
    return problem(path, 'is a header that Postmark writes itself', 'not to be set by a sender', 'Remove it.')
  return undefined
}

function problem(path: string, found: string, limit: string, cure: string): PostmarkProblem {
  return { path, found, limit, cure, severity: 'error', errorCode: INVALID_REQUEST }
}

/** 'headers.metadata.id' → 'headers.X-PM-Metadata-id', so that a message names what the caller wrote. */
function toHeaderPath(path: string, prefix: string): string {
  const [field = '', ...rest] = path.slice(prefix.length + 1).split('.')
  const row = Object.hasOwn(POSTMARK_FIELDS, field) ? POSTMARK_FIELDS[field as PostmarkField] : undefined
  return row ? `${prefix}.${row.header}${rest.join('.')}` : path
}
