import { describe, expect, it } from 'vitest'
import type { PostmarkFields } from '../vocabulary/vocabulary.js'
import { mergeFields } from './merge-fields.js'

describe('mergeFields', () => {
  const table: readonly (readonly [string, readonly PostmarkFields[], PostmarkFields])[] = [
    ['gives nothing for no levels', [], {}],
    ['takes the nearer level', [{ tag: 'outer' }, { tag: 'inner' }], { tag: 'inner' }],
    ['takes the nearest of many', [{ tag: 'a' }, { tag: 'b' }, {}, { tag: 'c' }], { tag: 'c' }],
    [
      'keeps what the nearer level does not name',
      [{ tag: 'a', trackOpens: true }, { tag: 'b' }],
      { tag: 'b', trackOpens: true },
    ],
    ['keeps what the nearer level leaves undefined', [{ tag: 'a' }, { tag: undefined }], { tag: 'a' }],
    ['takes false over true', [{ trackOpens: true }, { trackOpens: false }], { trackOpens: false }],
    ['clears with null', [{ tag: 'a' }, { tag: null }], {}],
    ['sets again what was cleared', [{ tag: 'a' }, { tag: null }, { tag: 'b' }], { tag: 'b' }],
    ['replaces a stream', [{ messageStream: 'a' }, { messageStream: 'b' }], { messageStream: 'b' }],
    [
      'joins metadata key by key',
      [{ metadata: { a: '1', b: '1' } }, { metadata: { b: '2', c: '2' } }],
      { metadata: { a: '1', b: '2', c: '2' } },
    ],
    [
      'compares metadata keys without case and keeps the nearest spelling',
      [{ metadata: { OrderId: '1' } }, { metadata: { orderid: '2' } }],
      { metadata: { orderid: '2' } },
    ],
    [
      'keeps the spelling of a level that has no nearer one',
      [{ metadata: { OrderId: '1' } }, { metadata: { b: '2' } }],
      { metadata: { OrderId: '1', b: '2' } },
    ],
    [
      'clears one metadata key with null, whatever its spelling',
      [{ metadata: { OrderId: '1', b: '1' } }, { metadata: { ORDERID: null } }],
      { metadata: { b: '1' } },
    ],
    [
      'has no metadata left when every key is cleared',
      [{ metadata: { a: '1' } }, { metadata: { a: null } }],
      {},
    ],
    ['clears all metadata with null', [{ metadata: { a: '1' } }, { metadata: null }], {}],
    [
      'adds metadata after all was cleared',
      [{ metadata: { a: '1' } }, { metadata: null }, { metadata: { b: '2' } }],
      { metadata: { b: '2' } },
    ],
    [
      'keeps a metadata key that the nearer level leaves undefined',
      [{ metadata: { a: '1' } }, { metadata: { a: undefined } }],
      { metadata: { a: '1' } },
    ],
    [
      'keeps falsy metadata',
      [{ metadata: { a: '1' } }, { metadata: { a: 0, b: false } }],
      { metadata: { a: 0, b: false } },
    ],
    [
      'clears every field with null',
      [
        {
          messageStream: 'a',
          tag: 'a',
          trackOpens: true,
          trackLinks: 'None',
          keepId: true,
          bounceType: 'X',
          metadata: { a: '1' },
        },
        {
          messageStream: null,
          tag: null,
          trackOpens: null,
          trackLinks: null,
          keepId: null,
          bounceType: null,
          metadata: null,
        },
      ],
      {},
    ],
  ]
  it.each(table)('%s', (_title, levels, merged) => {
    expect(mergeFields(...levels)).toStrictEqual(merged)
  })

  it('puts the keys of the nearest level last, which are the last to be dropped', () => {
    const merged = mergeFields({ metadata: { a: '1', b: '1' } }, { metadata: { A: '2' } })
    expect(Object.keys(merged.metadata ?? {})).toEqual(['b', 'A'])
  })

  it('keeps __proto__ as a metadata key', () => {
    const outer = JSON.parse('{ "metadata": { "__proto__": "1" } }')
    expect(JSON.stringify(mergeFields(outer, { tag: 'a' }))).toBe('{"tag":"a","metadata":{"__proto__":"1"}}')
  })
})
