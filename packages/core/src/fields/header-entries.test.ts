import { describe, expect, it } from 'vitest'
import type { ParsedPostmarkFields, PostmarkFields } from '../vocabulary/vocabulary.js'
import { fromHeaderEntries, meaningOf, toHeaderEntries } from './header-entries.js'

describe('toHeaderEntries', () => {
  const lines: readonly (readonly [string, PostmarkFields, string, string])[] = [
    ['a stream', { messageStream: 'news' }, 'X-PM-Message-Stream', 'news'],
    ['a tag', { tag: 'welcome' }, 'X-PM-Tag', 'welcome'],
    ['metadata with the key as spelled', { metadata: { customerId: 'x' } }, 'X-PM-Metadata-customerId', 'x'],
    ['metadata with a hyphen', { metadata: { 'client-id': 'x' } }, 'X-PM-Metadata-client-id', 'x'],
    ['metadata of 0', { metadata: { n: 0 } }, 'X-PM-Metadata-n', '0'],
    ['metadata of false', { metadata: { b: false } }, 'X-PM-Metadata-b', 'false'],
    ['open tracking', { trackOpens: true }, 'X-PM-TrackOpens', 'true'],
    ['open tracking off', { trackOpens: false }, 'X-PM-TrackOpens', 'false'],
    ['link tracking', { trackLinks: 'HtmlAndText' }, 'X-PM-TrackLinks', 'HtmlAndText'],
    ['link tracking off', { trackLinks: 'None' }, 'X-PM-TrackLinks', 'None'],
    ['keepId', { keepId: true }, 'X-PM-KeepID', 'true'],
    ['a bounce type', { bounceType: 'HardBounce' }, 'X-PM-Bounce-Type', 'HardBounce'],
  ]
  it.each(lines)('writes %s', (_title, fields, key, value) => {
    expect(toHeaderEntries(fields)).toEqual([{ key, value }])
    expect(fromHeaderEntries([{ key, value }])).toEqual(fromHeaderEntries(toHeaderEntries(fields)))
  })

  it.each<[string, PostmarkFields]>([
    ['keepId false', { keepId: false }],
    ['null', { tag: null, metadata: null, messageStream: null }],
    ['a metadata key of null', { metadata: { a: null } }],
    ['empty text', { tag: '' }],
    ['no metadata', { metadata: {} }],
  ])('writes no line for %s', (_title, fields) => {
    expect(toHeaderEntries(fields)).toEqual([])
  })

  it('refuses what breaks a limit', () => {
    expect(() => toHeaderEntries({ tag: 'x'.repeat(1001) })).toThrow(
      expect.objectContaining({
        code: 'ERR_POSTMARK_FIELDS',
        problems: [expect.objectContaining({ path: 'fields.tag' })],
      }),
    )
  })
})

describe('fromHeaderEntries', () => {
  const table: readonly (readonly [string, readonly (readonly [string, string])[], ParsedPostmarkFields])[] =
    [
      [
        'reads names in any case',
        [
          ['x-pm-tag', 'a'],
          ['X-PM-KEEPID', 'true'],
        ],
        { tag: 'a', keepId: true },
      ],
      [
        'keeps the spelling of a metadata key',
        [['x-pm-metadata-OrderId', '1']],
        { metadata: { OrderId: '1' } },
      ],
      [
        'trims values',
        [
          ['X-PM-Tag', ' a '],
          ['X-PM-Metadata-k', ' b '],
        ],
        { tag: 'a', metadata: { k: 'b' } },
      ],
      [
        'takes the first of two lines',
        [
          ['X-PM-Tag', 'a'],
          ['x-pm-tag', 'b'],
        ],
        { tag: 'a' },
      ],
      [
        'keeps a later spelling of a key under its name with a number',
        [
          ['X-PM-Metadata-a', '1'],
          ['X-PM-Metadata-A', '2'],
          ['X-PM-Metadata-a', '3'],
        ],
        { metadata: { a: '1', A1: '2', a2: '3' } },
      ],
      [
        'takes the next number where a key with the first is there',
        [
          ['X-PM-Metadata-a1', '1'],
          ['X-PM-Metadata-a', '2'],
          ['X-PM-Metadata-a', '3'],
        ],
        { metadata: { a1: '1', a: '2', a2: '3' } },
      ],
      ['keeps an empty metadata value', [['X-PM-Metadata-a', '']], { metadata: { a: '' } }],
      ['passes over an empty tag', [['X-PM-Tag', ' ']], {}],
      [
        'passes over a metadata header without a key',
        [
          ['X-PM-Metadata-', 'a'],
          ['X-PM-Metadata', 'a'],
        ],
        {},
      ],
      [
        'passes over other headers',
        [
          ['X-PM-RCPT', 'a'],
          ['Subject', 'a'],
          ['X-PM-Track-Opens', 'true'],
          ['', ''],
        ],
        {},
      ],
      [
        'reads booleans in any case',
        [
          ['X-PM-TrackOpens', 'False'],
          ['X-PM-KeepID', 'TRUE'],
        ],
        { trackOpens: false, keepId: true },
      ],
      [
        'passes over a switch that is neither',
        [
          ['X-PM-TrackOpens', 'yes'],
          ['X-PM-KeepID', 'false'],
        ],
        {},
      ],
      [
        'takes the first line that means something',
        [
          ['X-PM-TrackOpens', 'yes'],
          ['X-PM-TrackOpens', 'true'],
        ],
        { trackOpens: true },
      ],
      ['reads a choice in any case', [['X-PM-TrackLinks', 'htmlonly']], { trackLinks: 'HtmlOnly' }],
      ['passes over a choice that is none', [['X-PM-TrackLinks', 'All']], {}],
      [
        'keeps a value over the limit, as the server saw it',
        [['X-PM-Metadata-k', 'x'.repeat(110)]],
        { metadata: { k: 'x'.repeat(110) } },
      ],
      ['keeps __proto__ as a key', [['X-PM-Metadata-__proto__', 'x']], { metadata: { ['__proto__']: 'x' } }],
    ]
  it.each(table)('%s', (_title, lines, fields) => {
    expect(fromHeaderEntries(lines.map(([key, value]) => ({ key, value })))).toStrictEqual(fields)
  })
})

describe('meaningOf', () => {
  it.each([
    ['X-PM-Metadata-a-b', { field: 'metadata', metadataKey: 'a-b' }],
    ['x-pm-metadata-X-PM-Tag', { field: 'metadata', metadataKey: 'X-PM-Tag' }],
    ['X-PM-MESSAGE-STREAM', { field: 'messageStream' }],
    ['X-PM-Metadata-', undefined],
    ['X-PM-Tag ', undefined],
    ['X-PM-', undefined],
    ['Tag', undefined],
  ])('reads %j', (name, meaning) => {
    expect(meaningOf(name)).toEqual(meaning)
  })
})
