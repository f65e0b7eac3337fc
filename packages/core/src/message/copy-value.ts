import { isPlain } from './clone-message.js'

/** Beyond any realistic nesting of message fields. */
const DEEPEST = 6

/**
 * Copies what its owner may modify before the email is composed: arrays, plain objects, dates and bytes. Anything else,
 * such as a Readable, is kept.
 */
export function copyValue<T>(value: T): T
export function copyValue(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return value
  if (Buffer.isBuffer(value)) return Buffer.from(value)
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (value instanceof Date) return new Date(value)
  const copy = copyValue as (each: unknown, depth: number) => unknown
  if (Array.isArray(value)) return value.map((each) => copy(each, depth + 1))
  if (!isPlain(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, copy(each, depth + 1)]))
}

/** Whether a value equals a copy. Unknown if it contains Readables or instances of other classes. */
export function isSame(one: unknown, copy: unknown, depth = 0): boolean {
  if (typeof one !== 'object' || one === null) return one === copy
  if (typeof copy !== 'object' || copy === null || depth > DEEPEST) return false
  if (one instanceof Date) return copy instanceof Date && one.getTime() === copy.getTime()
  if (one instanceof Uint8Array)
    return (
      copy instanceof Uint8Array && Buffer.isBuffer(one) === Buffer.isBuffer(copy) && isSameBytes(one, copy)
    )
  if (Array.isArray(one) !== Array.isArray(copy) || !(Array.isArray(one) || isPlain(one))) return false
  const names = Object.keys(one)
  if (names.length !== Object.keys(copy).length) return false
  const [first, second] = [one as Record<string, unknown>, copy as Record<string, unknown>]
  return names.every((name) => Object.hasOwn(second, name) && isSame(first[name], second[name], depth + 1))
}

function isSameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}
