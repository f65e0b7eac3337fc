import { describe, isRecord } from '../problems/describe.js'
import type { Report } from '../problems/problem.js'
import { isQuotable, pathOf } from '../problems/quote.js'
import { type ParsedPostmarkFields, POSTMARK_FIELDS } from '../vocabulary/vocabulary.js'
import { describeKind, readEntries } from './read-entries.js'
import { readText } from './read-text.js'

/** Reads metadata of any shape. Keys are header names, each in one spelling; values are strings. */
export function readMetadata(value: unknown, path: string, report: Report): ParsedPostmarkFields['metadata'] {
  const row = POSTMARK_FIELDS.metadata
  const entries = readEntries(value)
  if (!entries) {
    report({
      path,
      found: isRecord(value)
        ? `is ${describeKind(value)} without own keys and values`
        : `is ${describe(value)}`,
      limit: 'an object of keys and values, or an iterable of entries such as a Map',
      cure: `Use an object such as ${JSON.stringify(row.example)}.`,
    })
    return undefined
  }
  const seen = new Map<string, string>()
  const read: [string, string | null][] = []
  let count = 0
  for (const [key, given] of entries) {
    if (given === undefined) continue
    if (!/^[!-9;-~]+$/.test(key)) {
      report({
        path: isQuotable(key) ? `${path}[${JSON.stringify(key)}]` : pathOf(path, key),
        found: 'is not a header name',
        limit: 'printable ASCII without spaces or colons',
        cure: 'Rename the key.',
      })
      continue
    }
    const at = pathOf(path, key)
    const twin = seen.get(key.toLowerCase())
    if (twin !== undefined) {
      report({
        path: at,
        found: twin === key ? 'is given twice' : `differs from "${twin}" only by case`,
        limit: 'each key once',
        cure: 'Postmark treats them as the same key. Remove or rename one; the first is kept.',
      })
      continue
    }
    seen.set(key.toLowerCase(), key)
    const text = given === null ? null : readText(given, at, row.maxLength, report)
    if (text === undefined) continue
    if (key.length > row.maxKeyLength && text !== null) {
      report({
        path: at,
        found: `has a key of ${key.length} characters`,
        limit: `at most ${row.maxKeyLength} characters`,
        cure: 'Shorten the key.',
      })
    }
    if (text !== null && ++count === row.maxEntries + 1) {
      const total = entries.filter(([, entry]) => entry !== undefined && entry !== null).length
      report({
        path,
        found: `has ${total} keys`,
        limit: `at most ${row.maxEntries} keys`,
        cure: 'Remove some keys, or combine values in one key.',
      })
    }
    read.push([key, text])
  }
  return Object.fromEntries(read)
}
