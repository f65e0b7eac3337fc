import { quote } from './quote.js'

/** Whether a value is an object with keys, but not an array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * A short description of a value for a message: its type, or the value itself if it is a short string that cannot be a
 * secret.
 */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return `an array of length ${value.length}`
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'undefined')
    return String(value)
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
