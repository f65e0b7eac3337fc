import { optionError, refuseUnknown } from '../problems/check-options.js'

/** The longest time that an option takes: 21 days. A timer of Node holds 24.8; beyond that it fires at once. */
const LONGEST_MS = 1_814_400_000

/** Reads a group of options that are all times in milliseconds. @param others what the group knows besides */
export function readNumbers<N extends Readonly<Record<string, number>>>(
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
export function readCount(name: string, value: unknown): number {
  if (
    typeof value === 'number' &&
    value >= 1 &&
    (Number.isSafeInteger(value) || value === Number.POSITIVE_INFINITY)
  )
    return value
  throw optionError(name, value, 'an integer of at least 1')
}
