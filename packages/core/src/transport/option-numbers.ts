import { optionError, refuseUnknown } from '../problems/check-options.js'

/**
 * The longest time that an option accepts: 21 days. A Node timer can wait 24.8 days; beyond that it fires immediately.
 */
const LONGEST_MS = 1_814_400_000

/** Reads a group of options that are all times in milliseconds. @param others other known options of the group */
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

/** An integer of at least 1; Infinity means no limit. */
export function readCount(name: string, value: unknown): number {
  if (
    typeof value === 'number' &&
    value >= 1 &&
    (Number.isSafeInteger(value) || value === Number.POSITIVE_INFINITY)
  )
    return value
  throw optionError(name, value, 'an integer of at least 1')
}
