import type { ParsedPostmarkFields, PostmarkField, PostmarkFields } from '../vocabulary/vocabulary.js'
import { POSTMARK_FIELDS } from '../vocabulary/vocabulary.js'
import { parseFields } from './parse-fields.js'

/** One header line as data: the exact name and the decoded value. */
export interface HeaderEntry {
  readonly key: string
  readonly value: string
}

/** What a header name refers to: a field, and for metadata its key. */
export interface HeaderMeaning {
  readonly field: PostmarkField
  readonly metadataKey?: string
}

const METADATA_PREFIX = POSTMARK_FIELDS.metadata.header.toLowerCase()

const FIELD_OF_HEADER: ReadonlyMap<string, PostmarkField> = new Map(
  Object.entries(POSTMARK_FIELDS)
    .filter(([, row]) => row.kind !== 'map')
    .map(([field, row]) => [row.header.toLowerCase(), field as PostmarkField]),
)

/** Reads a header name in any case. Undefined if it does not belong to a field. */
export function meaningOf(headerName: string): HeaderMeaning | undefined {
  const lower = headerName.toLowerCase()
  const field = FIELD_OF_HEADER.get(lower)
  if (field) return { field }
  if (lower.length > METADATA_PREFIX.length && lower.startsWith(METADATA_PREFIX)) {
    return { field: 'metadata', metadataKey: headerName.slice(METADATA_PREFIX.length) }
  }
  return undefined
}

/** Writes fields that have already been read. A flag that is not set and `null` produce no line. */
export function writeEntries(fields: ParsedPostmarkFields): HeaderEntry[] {
  const entries: HeaderEntry[] = []
  for (const field of Object.keys(POSTMARK_FIELDS) as PostmarkField[]) {
    const value = fields[field]
    if (value === undefined || value === null) continue
    const { header } = POSTMARK_FIELDS[field]
    if (typeof value !== 'object') entries.push({ key: header, value: String(value) })
    else {
      for (const key of Object.keys(value)) {
        const text = value[key]
        if (text !== null && text !== undefined) entries.push({ key: header + key, value: text })
      }
    }
  }
  return entries
}

/**
 * Returns the header lines of fields, with the exact names.
 * @example toHeaderEntries({ tag: 'welcome', metadata: { 'order-id': '1' } })
 * // the lines X-PM-Tag: welcome and X-PM-Metadata-order-id: 1
 * @throws PostmarkError ERR_POSTMARK_FIELDS
 */
export function toHeaderEntries(fields: PostmarkFields): HeaderEntry[] {
  return writeEntries(parseFields(fields))
}

/**
 * Reads fields back from header lines, in any case. Other headers and meaningless values are ignored. If a field has
 * two lines, the first counts: Postmark does not document what it does. If a metadata key has two lines, Postmark keeps
 * both and adds a number to the name of the second; the exact form is not documented.
 * @example fromHeaderEntries(toHeaderEntries({ tag: 'welcome' })) // { tag: 'welcome' }
 */
export function fromHeaderEntries(entries: Iterable<HeaderEntry>): ParsedPostmarkFields {
  const fields: Record<string, unknown> = {}
  const metadata = new Map<string, [string, string]>()
  for (const { key, value } of entries) {
    const meaning = meaningOf(key)
    if (!meaning) continue
    const { field, metadataKey } = meaning
    if (metadataKey !== undefined) {
      const key = freeKey(metadataKey, metadata)
      metadata.set(key.toLowerCase(), [key, value.trim()])
    } else if (!Object.hasOwn(fields, field)) {
      const read = fromText(field, value.trim())
      if (read !== undefined) fields[field] = read
    }
  }
  if (metadata.size > 0) fields.metadata = Object.fromEntries(metadata.values())
  return fields
}

/** The key. If it is taken, the first number that makes it unique is appended. */
function freeKey(key: string, taken: ReadonlyMap<string, unknown>): string {
  if (!taken.has(key.toLowerCase())) return key
  let number = 1
  while (taken.has(`${key}${number}`.toLowerCase())) number++
  return `${key}${number}`
}

function fromText(field: PostmarkField, text: string): unknown {
  const row = POSTMARK_FIELDS[field]
  if (row.kind === 'boolean' || row.kind === 'flag') {
    const word = text.toLowerCase()
    if (word === 'true') return true
    return word === 'false' && row.kind === 'boolean' ? false : undefined
  }
  if (row.kind === 'choice') return row.values.find((value) => value.toLowerCase() === text.toLowerCase())
  return text === '' ? undefined : text
}
