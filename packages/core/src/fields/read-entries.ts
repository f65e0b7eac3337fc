import { isRecord } from '../problems/describe.js'

type Entry = readonly [string, unknown]

/** More than any fields have. An iterable may be endless. */
const MOST_ENTRIES = 10_000

/**
 * Calls back for the keys and values of an object or of anything with entries: a Map, URLSearchParams, Headers,
 * FormData, an array of pairs. Returns false for other values, such as a Date or an object whose getters belong to its
 * class, which would otherwise be lost silently. Values of an object are read one by one, so that values before a
 * getter that throws are kept.
 */
export function visitEntries(value: unknown, visit: (key: string, value: unknown) => void): boolean {
  if (isIterable(value)) {
    const entries = readIterable(value)
    for (const [key, each] of entries ?? []) visit(key, each)
    return entries !== undefined
  }
  if (!isRecord(value)) return false
  const keys = Object.keys(value)
  if (keys.length === 0 && !isPlain(value)) return false
  for (const key of keys) visit(key, value[key])
  return true
}

/** The same as an array. */
export function readEntries(value: unknown): Entry[] | undefined {
  const entries: Entry[] = []
  return visitEntries(value, (key, each) => entries.push([key, each])) ? entries : undefined
}

function readIterable(value: Iterable<unknown>): Entry[] | undefined {
  const entries: Entry[] = []
  for (const entry of value) {
    if (!isEntry(entry)) return undefined
    entries.push([String(entry[0]), entry[1]])
    if (entries.length === MOST_ENTRIES) break
  }
  return entries
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return (
    typeof (value as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] === 'function' &&
    typeof value === 'object'
  )
}

function isEntry(entry: unknown): entry is readonly [string | number, unknown] {
  return Array.isArray(entry) && entry.length === 2 && ['string', 'number'].includes(typeof entry[0])
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** The kind of object a value is, for a message. @example 'a Date' */
export function describeKind(value: object): string {
  const name: unknown = value.constructor?.name
  return typeof name === 'string' && /^[A-Z]\w{0,39}$/.test(name) && name !== 'Object'
    ? `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`
    : 'an object'
}
