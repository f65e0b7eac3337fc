import { CORRELATION_LEVEL, ONCE_LEVEL } from '../fields/field-origin.js'
import { surplusWarning } from '../fields/fit-fields.js'
import type { Level, Merged } from '../fields/merge-fields.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { INVALID_REQUEST } from '../problems/problem.js'
import { POSTMARK_FIELDS } from '../vocabulary/vocabulary.js'
import { ONCE_METADATA_KEY } from './once-key.js'

const { maxEntries } = POSTMARK_FIELDS.metadata

/** A level, and whether it may lose metadata keys to make room for nearer ones. */
export interface SparingLevel extends Level {
  readonly spare: boolean
}

/** The merged metadata of an email, while room is made in it. */
export type MetadataRoom = Map<string, Merged['metadata'] extends ReadonlyMap<string, infer E> ? E : never>

/** How many keys go out. */
function countSet(metadata: MetadataRoom): number {
  let count = 0
  for (const { value } of metadata.values()) if (value !== null) count++
  return count
}

/**
 * Drops keys over the limit from levels that may lose some: outermost level first, and its last key first.
 * @param kept the key that is always kept
 */
export function dropSurplus(
  metadata: MetadataRoom,
  levels: readonly SparingLevel[],
  kept: string | undefined,
): PostmarkProblem[] {
  if (metadata.size <= maxEntries) return []
  const surplus = countSet(metadata) - maxEntries
  if (surplus <= 0) return []
  const warnings: PostmarkProblem[] = []
  const candidates = [...metadata]
    .reverse()
    .filter(
      ([lower, { value, level }]) => value !== null && levels[level]?.spare && lower !== kept?.toLowerCase(),
    )
  candidates.sort(([, a], [, b]) => a.level - b.level)
  for (const [lower, entry] of candidates.slice(0, surplus)) {
    metadata.delete(lower)
    warnings.push(surplusWarning(`${levels[entry.level]!.name}.metadata.${entry.key}`))
  }
  return warnings
}

/** The problem if the levels together have too many keys, but no single level has. */
export function tooManyTogether(
  metadata: MetadataRoom,
  readings: readonly { readonly fields: { readonly metadata?: object | null } }[],
): PostmarkProblem | undefined {
  if (metadata.size <= maxEntries) return undefined
  const count = countSet(metadata)
  const isOver = ({ fields }: (typeof readings)[number]) =>
    Object.values(fields.metadata ?? {}).filter((value) => value !== null).length > maxEntries
  if (count <= maxEntries || readings.some(isOver)) return undefined
  return {
    path: 'postmark.metadata',
    found: `has ${count} keys, including those from headers${metadata.get(ONCE_METADATA_KEY)?.level === ONCE_LEVEL ? ' and idempotencyKey' : ''}`,
    limit: `at most ${maxEntries} keys`,
    cure: 'Remove some keys, or combine values in one key.',
    severity: 'error',
    errorCode: INVALID_REQUEST,
  }
}

/** Adds the reference of an idempotency key. Returns a problem if another value was set under its name. */
export function refer(
  metadata: MetadataRoom,
  reference: string,
  levels: readonly SparingLevel[],
): PostmarkProblem | undefined {
  const given = metadata.get(ONCE_METADATA_KEY)
  metadata.set(ONCE_METADATA_KEY, { key: ONCE_METADATA_KEY, value: reference, level: ONCE_LEVEL })
  if (!given || given.value === null || given.value === reference) return undefined
  const { name, spare } = levels[given.level]!
  return {
    path: `${name}.metadata.${given.key}`,
    found: 'is the key that is used to send the hash of idempotencyKey',
    limit: 'any other key',
    cure: 'Rename the key.',
    severity: spare ? 'warning' : 'error',
    errorCode: INVALID_REQUEST,
  }
}

/** Adds a correlation ID, by default a new one, or uses the value that is already set under its key. */
export function correlate(
  metadata: MetadataRoom,
  key: string,
  warnings: PostmarkProblem[],
  value: string = crypto.randomUUID(),
): string | undefined {
  const given = metadata.get(key.toLowerCase())
  if (given) return given.value === null ? undefined : String(given.value)
  const count = countSet(metadata)
  if (count >= maxEntries) {
    warnings.push({
      path: `metadata.${key}`,
      found: `did not fit: the email has ${count} keys`,
      limit: `at most ${maxEntries} keys`,
      cure: 'The email was sent without it. Remove a key to make room.',
      severity: 'warning',
    })
    return undefined
  }
  metadata.set(key.toLowerCase(), { key, value, level: CORRELATION_LEVEL })
  return value
}
