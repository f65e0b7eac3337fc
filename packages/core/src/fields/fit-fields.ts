import type { PostmarkProblem } from '../problems/problem.js'
import { INVALID_REQUEST } from '../problems/problem.js'
import type { ParsedPostmarkFields, PostmarkFields } from '../vocabulary/vocabulary.js'
import { POSTMARK_FIELDS } from '../vocabulary/vocabulary.js'
import { readFields } from './read-fields.js'

/** Fields that Postmark accepts, and a warning for each change made to them. */
export interface FittedFields {
  readonly fields: ParsedPostmarkFields
  readonly warnings: readonly PostmarkProblem[]
}

/**
 * Makes fields fit Postmark's limits. Strings are shortened by whole characters, surplus keys and values of the wrong
 * type are dropped, and line breaks become spaces. Each change is a warning. A `messageStream` is never changed.
 * @example fitFields({ tag: 'x'.repeat(1001) }).fields.tag?.length // 1000
 */
export function fitFields(fields: PostmarkFields): FittedFields {
  const reading = readFields(fields, 'fields')
  const { metadata, ...rest } = fitLengths(reading.fields)
  const warnings = reading.problems.map(asWarning)
  if (!metadata) return { fields: metadata === null ? { ...rest, metadata } : rest, warnings }
  const keys = Object.keys(metadata).filter((key) => metadata[key] !== null)
  const surplus = new Set(keys.slice(POSTMARK_FIELDS.metadata.maxEntries))
  const kept = Object.entries(metadata).filter(([key]) => !surplus.has(key))
  return { fields: { ...rest, metadata: Object.fromEntries(kept) }, warnings }
}

/** Shortens strings and drops metadata whose key is too long. Returns the same object if everything fits. */
export function fitLengths(fields: ParsedPostmarkFields): ParsedPostmarkFields {
  const { tag, metadata } = POSTMARK_FIELDS
  let fitted = fields
  if (typeof fields.tag === 'string' && fields.tag.length > tag.maxLength) {
    fitted = { ...fitted, tag: shorten(fields.tag, tag.maxLength) }
  }
  const given = fields.metadata
  if (!given) return fitted
  const fits = (key: string, value: string | null) =>
    value === null || (key.length <= metadata.maxKeyLength && value.length <= metadata.maxLength)
  const entries = Object.entries(given)
  if (entries.every(([key, value]) => fits(key, value))) return fitted
  const kept = entries
    .filter(([key, value]) => value === null || key.length <= metadata.maxKeyLength)
    .map(([key, value]) => [key, value === null ? null : shorten(value, metadata.maxLength)])
  return { ...fitted, metadata: Object.fromEntries(kept) }
}

let segmenter: Intl.Segmenter | undefined

/** The longest prefix of a string, in whole characters as people see them, of at most this many UTF-16 units. */
function shorten(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  let end = 0
  for (const { index, segment } of segmenter.segment(text.slice(0, maxLength + 64))) {
    if (index + segment.length > maxLength) break
    end = index + segment.length
  }
  // One character may be longer than the limit (marks stacked on a letter): then by code points.
  if (end === 0) end = isLowSurrogate(text, maxLength) ? maxLength - 1 : maxLength
  return text.slice(0, end).trimEnd()
}

function isLowSurrogate(text: string, index: number): boolean {
  const unit = text.charCodeAt(index)
  return unit >= 0xdc00 && unit <= 0xdfff
}

/** A problem with fields that must never stop an email: an error becomes a warning. */
export function asWarning(problem: PostmarkProblem): PostmarkProblem {
  return problem.severity === 'warning'
    ? problem
    : { ...problem, severity: 'warning', cure: 'The email was sent with a shorter value, or without it.' }
}

/** The warning for a metadata key that did not fit among the ten. */
export function surplusWarning(path: string): PostmarkProblem {
  const { maxEntries } = POSTMARK_FIELDS.metadata
  return {
    path,
    found: `exceeds the limit of ${maxEntries} keys`,
    limit: `at most ${maxEntries} keys across all levels`,
    cure: 'It was omitted. Keys of the outermost level are dropped first.',
    severity: 'warning',
    errorCode: INVALID_REQUEST,
  }
}
