import { meaningOf } from '../fields/header-entries.js'
import type { Reading } from '../fields/read-fields.js'
import { NOTHING_READ, readFields } from '../fields/read-fields.js'
import { readText } from '../fields/read-text.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { INVALID_REQUEST } from '../problems/problem.js'
import type { PostmarkField } from '../vocabulary/vocabulary.js'
import { MISSPELLED_HEADERS, POSTMARK_FIELDS, RESERVED_HEADERS } from '../vocabulary/vocabulary.js'
import type { GivenHeader } from './header-shapes.js'

/** A level read from explicit headers. `kept` contains headers with Postmark's prefix that are not fields. */
export interface HeaderReading extends Reading {
  readonly kept: readonly GivenHeader[]
  /** Second spellings of a field, if `lenient` is set. */
  readonly twins: readonly PostmarkProblem[]
}

const RESERVED = new Set(RESERVED_HEADERS.map((name) => name.toLowerCase()))

const NO_HEADERS: HeaderReading = { ...NOTHING_READ, kept: [], twins: [] }

/**
 * Reads explicit Postmark headers.
 * @param lenient second spellings of a field go to `twins`: they may come from two places that cannot be distinguished
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
          'Correct the name.',
        ),
      )
      continue
    }
    const lower = name.toLowerCase()
    const meaning = meaningOf(name)
    if (!meaning) {
      const wrong = wrongName(name, at)
      if (wrong) problems.push(wrong)
      // A name outside the table may be a header newer than this version, so it is passed on.
      const text = readText(value ?? '', at, Number.POSITIVE_INFINITY, (found) =>
        problems.push({ severity: 'error', errorCode: INVALID_REQUEST, ...found }),
      )
      if (text !== undefined) kept.push({ name, value: text, wrong: wrong !== undefined })
      continue
    }
    const before = spellings.get(lower)
    if (before !== undefined) {
      const isMetadata = meaning.metadataKey !== undefined
      const cure = isMetadata
        ? 'Remove or rename one. If there are two, Postmark adds a number to the name of the second.'
        : 'Remove one; the first is kept. It is not documented what Postmark does with two.'
      const twice = problem(at, 'is given twice', 'one line per field', cure)
      // The lines of a raw message are sent unchanged, and Postmark accepts both.
      if (isMetadata && path === 'raw') problems.push({ ...twice, severity: 'warning' })
      else if (lenient && before !== name) twins.push({ ...twice, severity: 'warning' })
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
    return problem(path, 'is not a Postmark header', meant, `Postmark ignores this name. Write ${meant}.`)
  if (lower === POSTMARK_FIELDS.metadata.header.toLowerCase()) {
    return problem(
      path,
      'has no key',
      `${POSTMARK_FIELDS.metadata.header}<key>`,
      'Append the key to the header name.',
    )
  }
  if (RESERVED.has(lower))
    return problem(path, 'is a header that only Postmark sets', 'a header that senders may set', 'Remove it.')
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
