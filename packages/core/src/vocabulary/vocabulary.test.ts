import { expect, it } from 'vitest'
import { parseFields } from '../fields/parse-fields.js'
import { isPostmarkHeader } from '../message/header-shapes.js'
import {
  HEADER_PREFIX,
  MISSPELLED_HEADERS,
  POSTMARK_FIELDS,
  RESERVED_HEADERS,
  WEBHOOK_HEADERS,
} from './vocabulary.js'

const rows = Object.entries(POSTMARK_FIELDS)

it('has each header of Postmark, letter by letter', () => {
  expect(rows.map(([field, { header }]) => [field, header])).toEqual([
    ['messageStream', 'X-PM-Message-Stream'],
    ['tag', 'X-PM-Tag'],
    ['metadata', 'X-PM-Metadata-'],
    ['trackOpens', 'X-PM-TrackOpens'],
    ['trackLinks', 'X-PM-TrackLinks'],
    ['keepId', 'X-PM-KeepID'],
    ['bounceType', 'X-PM-Bounce-Type'],
  ])
})

it.each(rows)('has an example of %s that is legal, and a source', (field, row) => {
  expect(parseFields({ [field]: row.example })).toEqual({ [field]: row.example })
  expect(row.source).toMatch(/^https:\/\/postmarkapp\.com\//)
})

it('knows every name by the prefix', () => {
  const names = [...rows.map(([, { header }]) => header), ...RESERVED_HEADERS, ...MISSPELLED_HEADERS.keys()]
  expect(names.filter((name) => !isPostmarkHeader(name))).toEqual([])
  for (const name of [...RESERVED_HEADERS, ...Object.values(WEBHOOK_HEADERS)])
    expect(name.startsWith(HEADER_PREFIX)).toBe(true)
})

it('takes no header for a mistake or reserved that is a field', () => {
  const fields = new Set(rows.map(([, { header }]) => header.toLowerCase()))
  const others = [...MISSPELLED_HEADERS.keys(), ...RESERVED_HEADERS.map((name) => name.toLowerCase())]
  expect(others.filter((name) => fields.has(name))).toEqual([])
  expect([...MISSPELLED_HEADERS.keys()].filter((name) => name !== name.toLowerCase())).toEqual([])
})
