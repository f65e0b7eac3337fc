import { describe, expect, it } from 'vitest'
import type { ParsedPostmarkFields, PostmarkFields } from '../vocabulary/vocabulary.js'
import { fitFields, fitLengths } from './fit-fields.js'

const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, `${i}`]))

describe('fitFields', () => {
  const table: readonly (readonly [string, unknown, ParsedPostmarkFields, readonly string[]])[] = [
    [
      'keeps what fits',
      { tag: 'x'.repeat(1000), metadata: { ['k'.repeat(20)]: 'v'.repeat(80) } },
      { tag: 'x'.repeat(1000), metadata: { ['k'.repeat(20)]: 'v'.repeat(80) } },
      [],
    ],
    ['shortens a tag', { tag: 'x'.repeat(1001) }, { tag: 'x'.repeat(1000) }, ['fields.tag']],
    [
      'shortens a metadata value',
      { metadata: { a: 'x'.repeat(81) } },
      { metadata: { a: 'x'.repeat(80) } },
      ['fields.metadata.a'],
    ],
    [
      'drops a key that is too long',
      { metadata: { ['k'.repeat(21)]: '1', b: '2' } },
      { metadata: { b: '2' } },
      [`fields.metadata.${'k'.repeat(21)}`],
    ],
    [
      'keeps null of a key that is too long',
      { metadata: { ['k'.repeat(21)]: null } },
      { metadata: { ['k'.repeat(21)]: null } },
      [],
    ],
    ['keeps the first ten keys', { metadata: keys(12) }, { metadata: keys(10) }, ['fields.metadata']],
    [
      'counts no key of null among the ten',
      { metadata: { gone: null, ...keys(10) } },
      { metadata: { gone: null, ...keys(10) } },
      [],
    ],
    ['makes line breaks spaces', { tag: 'a\r\nb' }, { tag: 'a b' }, ['fields.tag']],
    [
      'drops a value of a wrong kind',
      { tag: ['a'], trackOpens: 'yes', trackLinks: 'All', metadata: { a: {} } },
      { metadata: {} },
      ['fields.tag', 'fields.trackOpens', 'fields.trackLinks', 'fields.metadata.a'],
    ],
    ['drops an unknown field', { tags: 'a' }, {}, ['fields.tags']],
    [
      'drops a metadata key that is no header name',
      { metadata: { 'a b': '1' } },
      { metadata: {} },
      ['fields.metadata["a b"]'],
    ],
    [
      'never changes a stream',
      { messageStream: 'Not A Stream' },
      { messageStream: 'Not A Stream' },
      ['fields.messageStream'],
    ],
    ['keeps null', { tag: null, metadata: null }, { tag: null, metadata: null }, []],
    [
      'cuts no surrogate pair in two',
      { metadata: { a: `${'x'.repeat(79)}👋` } },
      { metadata: { a: 'x'.repeat(79) } },
      ['fields.metadata.a', 'fields.metadata.a'],
    ],
    [
      'cuts no joined emoji in two',
      { metadata: { a: `${'x'.repeat(72)}👨‍👩‍👧‍👦` } },
      { metadata: { a: 'x'.repeat(72) } },
      ['fields.metadata.a', 'fields.metadata.a'],
    ],
    [
      'cuts no accent off its letter',
      { metadata: { a: `${'x'.repeat(79)}e\u0301` } },
      { metadata: { a: 'x'.repeat(79) } },
      ['fields.metadata.a', 'fields.metadata.a'],
    ],
    [
      'leaves no space at the end',
      { metadata: { a: `${'x'.repeat(79)} yy` } },
      { metadata: { a: 'x'.repeat(79) } },
      ['fields.metadata.a'],
    ],
    [
      'cuts one character that is longer than the limit by code points',
      { metadata: { a: `👋${'\u0301'.repeat(200)}` } },
      { metadata: { a: `👋${'\u0301'.repeat(78)}` } },
      ['fields.metadata.a', 'fields.metadata.a'],
    ],
    [
      'cuts no pair where one character is longer than the limit',
      { metadata: { a: `a${'\u{1F3FB}'.repeat(60)}` } },
      { metadata: { a: `a${'\u{1F3FB}'.repeat(39)}` } },
      ['fields.metadata.a', 'fields.metadata.a'],
    ],
  ]
  it.each(table)('%s', (_title, given, fields, paths) => {
    const fitted = fitFields(given as PostmarkFields)
    expect(fitted.fields).toStrictEqual(fields)
    expect(fitted.warnings.map(({ path }) => path).sort()).toEqual([...paths].sort())
  })

  it('tells each change as a warning with the limit', () => {
    expect(fitFields({ tag: 'x'.repeat(1001) }).warnings).toEqual([
      {
        path: 'fields.tag',
        found: 'has 1001 characters',
        limit: 'at most 1000 characters',
        cure: expect.stringContaining('a shorter value, or without it'),
        severity: 'warning',
        errorCode: 300,
      },
    ])
  })
})

describe('fitLengths', () => {
  it('returns the same object where all fits', () => {
    const fields = { tag: 'a', metadata: { a: '1' } }
    expect(fitLengths(fields)).toBe(fields)
  })
})
