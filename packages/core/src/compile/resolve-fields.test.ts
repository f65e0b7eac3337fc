import { describe, expect, it } from 'vitest'
import { contextLevels, runWithPostmark } from '../context/context.js'
import { readFields } from '../fields/read-fields.js'
import { splitHeaders } from '../message/header-shapes.js'
import { readHeaders } from '../message/message-headers.js'
import type { PostmarkFields } from '../vocabulary/vocabulary.js'
import type { FieldSources, ResolvedFields } from './resolve-fields.js'
import { resolveFields } from './resolve-fields.js'
import type { CompileOptions } from './settings.js'
import { parseDefaults, readCompileOptions } from './settings.js'

/** The levels of one email as users write them; `context` from the outermost scope. */
interface Levels {
  readonly defaults?: PostmarkFields
  readonly transport?: PostmarkFields
  readonly streams?: Readonly<Record<string, PostmarkFields>>
  readonly context?: readonly unknown[]
  readonly postmark?: unknown
  readonly headers?: object
  readonly raw?: object
}

function resolve(levels: Levels, options: CompileOptions = {}): ResolvedFields {
  const streams = Object.entries(levels.streams ?? {}).map(
    ([stream, fields]) => [stream, parseDefaults(fields, 'streams')] as const,
  )
  const settings = readCompileOptions(
    { defaults: levels.defaults, ...options },
    {
      fields: new Map(streams),
      known: new Set(Object.keys(levels.streams ?? {})),
      strict: false,
    },
  )
  const open = (scopes: readonly unknown[]): FieldSources => {
    const [scope, ...inner] = scopes
    if (scope !== undefined) return runWithPostmark(scope as PostmarkFields, () => open(inner))
    return {
      transport: levels.transport ? [readFields(levels.transport, 'defaults')] : [],
      context: contextLevels(),
      message: readFields(levels.postmark, 'postmark'),
      headers: readHeaders(splitHeaders(levels.headers).postmark, 'headers'),
      ...(levels.raw ? { raw: readHeaders(splitHeaders(levels.raw).postmark, 'raw') } : {}),
    }
  }
  return resolveFields(open(levels.context ?? []), settings)
}

const keys = (count: number, prefix = 'k', value = 'x') =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, value]))
const clean = { errors: [], fatal: [], warnings: [] }

describe('precedence', () => {
  const all: Levels = {
    raw: { 'X-PM-Tag': 'raw' },
    headers: { 'X-PM-Tag': 'header' },
    postmark: { tag: 'message' },
    context: [{ tag: 'outer' }, { tag: 'inner' }],
    streams: { news: { tag: 'stream' } },
    transport: { tag: 'transport' },
    defaults: { tag: 'defaults', messageStream: 'news' },
  }
  const { raw, headers, postmark, context, streams, transport, defaults } = all
  it.each<[string, Levels, string]>([
    ['a header of a raw message before a header given beside it', all, 'raw'],
    [
      'an explicit header before `postmark` on the message',
      { headers, postmark, context, streams, transport, defaults } as Levels,
      'header',
    ],
    [
      '`postmark` on the message before every scope',
      { postmark, context, streams, transport, defaults } as Levels,
      'message',
    ],
    ['the innermost scope before outer ones', { context, streams, transport, defaults } as Levels, 'inner'],
    [
      'an outer scope before the stream\u2019s defaults',
      { context: [{ tag: 'outer' }, {}], streams, transport, defaults } as Levels,
      'outer',
    ],
    [
      'the stream\u2019s defaults before the transport\u2019s',
      { streams, transport, defaults } as Levels,
      'stream',
    ],
    [
      'the transport\u2019s second argument before defaults of ours',
      { transport, defaults } as Levels,
      'transport',
    ],
    ['the defaults where nobody says anything', { defaults } as Levels, 'defaults'],
  ])('takes %s', (_title, levels, tag) => {
    const resolved = resolve(levels)
    expect(resolved.fields).toEqual({ tag, messageStream: 'news' })
    expect(resolved).toMatchObject(clean)
    expect(raw).toBeDefined()
  })

  it('merges metadata key by key over all levels, with the nearest spelling', () => {
    const { fields } = resolve({
      defaults: { metadata: { A: 'defaults', B: 'defaults', C: 'defaults', D: 'defaults', E: 'defaults' } },
      context: [
        { metadata: { b: 'outer', c: 'outer', d: 'outer', e: 'outer' } },
        { metadata: { C: 'inner', D: 'inner', E: 'inner' } },
      ],
      postmark: { metadata: { d: 'message', e: 'message' } },
      headers: { 'x-pm-metadata-E': 'header' },
    })
    expect(fields).toEqual({ metadata: { A: 'defaults', b: 'outer', C: 'inner', d: 'message', E: 'header' } })
  })

  it.each<[string, Levels, PostmarkFields]>([
    [
      'on the message',
      {
        defaults: { tag: 'a', metadata: { a: '1', b: '1' } },
        postmark: { tag: null, metadata: { A: null } },
      },
      { metadata: { b: '1' } },
    ],
    [
      'in a scope',
      { defaults: { tag: 'a', metadata: { a: '1' } }, context: [{ metadata: null }] },
      { tag: 'a' },
    ],
    [
      'in a header',
      {
        context: [{ tag: 'a', metadata: { a: '1' } }],
        headers: { 'X-PM-Tag': null, 'X-PM-Metadata-A': null },
      },
      {},
    ],
    ['with keepId false', { defaults: { keepId: true }, postmark: { keepId: false } }, {}],
  ])('clears with null %s', (_title, levels, fields) => {
    expect(resolve(levels)).toMatchObject({ fields, ...clean })
    expect(resolve(levels).fields).toStrictEqual(fields)
  })

  it('takes the defaults of the stream that the nearest level names', () => {
    const streams = { news: { tag: 'news' }, receipts: { tag: 'receipts' } }
    expect(
      resolve({ streams, defaults: { messageStream: 'news' }, postmark: { messageStream: 'receipts' } })
        .fields.tag,
    ).toBe('receipts')
    expect(resolve({ streams, context: [{ messageStream: 'news' }] }).fields.tag).toBe('news')
    expect(
      resolve({ streams, defaults: { messageStream: 'news' }, postmark: { messageStream: null } }).fields,
    ).toEqual({})
    expect(resolve({ streams }).fields).toEqual({})
  })
})

describe('faults', () => {
  const tooLong = 'x'.repeat(1001)

  it.each(['throw', 'warn'] as const)(
    'of the message stay as written under %s, and are told',
    (preflight) => {
      const resolved = resolve({ postmark: { tag: tooLong, metadata: { k: 'x'.repeat(81) } } }, { preflight })
      expect(resolved.fields).toEqual({ tag: tooLong, metadata: { k: 'x'.repeat(81) } })
      expect(resolved.errors.map(({ path }) => path)).toEqual(['postmark.tag', 'postmark.metadata.k'])
      expect(resolved.warnings).toEqual([])
    },
  )

  it('of the message are fitted under fit, and are told', () => {
    const resolved = resolve(
      { headers: { 'X-PM-Tag': tooLong }, postmark: { metadata: keys(12) } },
      { preflight: 'fit' },
    )
    expect(resolved.fields).toEqual({ tag: 'x'.repeat(1000), metadata: keys(10) })
    expect(resolved.errors.map(({ path }) => path)).toEqual(['postmark.metadata', 'headers.X-PM-Tag'])
    expect(resolved.warnings.map(({ path }) => path)).toEqual([
      'postmark.metadata.k11',
      'postmark.metadata.k10',
    ])
  })

  it.each(['throw', 'warn', 'fit'] as const)(
    'of the context are fitted under %s, as warnings',
    (preflight) => {
      const scope = {
        tag: `a\r\n${tooLong}`,
        metadata: { k: 'x'.repeat(81), 'b c': '1' },
        trackOpens: 'x',
        bad: 1,
      }
      const resolved = resolve({ context: [scope] }, { preflight })
      expect(resolved.fields).toEqual({ tag: `a ${'x'.repeat(998)}`, metadata: { k: 'x'.repeat(80) } })
      expect(resolved).toMatchObject({ errors: [], fatal: [] })
      expect(new Set(resolved.warnings.map(({ path }) => path))).toEqual(
        new Set([
          'context.tag',
          'context.metadata.k',
          'context.metadata["b c"]',
          'context.trackOpens',
          'context.bad',
        ]),
      )
      expect(resolved.warnings.every(({ severity }) => severity === 'warning')).toBe(true)
    },
  )

  it('of a context that a nearer level covers are told all the same', () => {
    const resolved = resolve({ context: [{ tag: tooLong }], postmark: { tag: 'a' } })
    expect(resolved).toMatchObject({ fields: { tag: 'a' }, errors: [], warnings: [{ path: 'context.tag' }] })
  })

  it('drops surplus keys of the outermost level first, and there the last first', () => {
    const resolved = resolve({
      defaults: { metadata: keys(4, 'd') },
      context: [{ metadata: keys(4, 'o') }, { metadata: keys(4, 'i') }],
      postmark: { metadata: keys(2, 'm') },
    })
    expect(Object.keys(resolved.fields.metadata ?? {}).sort()).toEqual([
      'i0',
      'i1',
      'i2',
      'i3',
      'm0',
      'm1',
      'o0',
      'o1',
      'o2',
      'o3',
    ])
    expect(resolved.errors).toEqual([])
    expect(resolved.warnings.map(({ path }) => path)).toEqual(
      ['d3', 'd2', 'd1', 'd0'].map((key) => `defaults.metadata.${key}`),
    )

    const fewer = resolve({ context: [{ metadata: keys(6, 'o') }, { metadata: keys(6, 'i') }] })
    expect(Object.keys(fewer.fields.metadata ?? {})).toEqual([
      'o0',
      'o1',
      'o2',
      'o3',
      'i0',
      'i1',
      'i2',
      'i3',
      'i4',
      'i5',
    ])
    expect(fewer.warnings.map(({ path }) => path)).toEqual(['context.metadata.o5', 'context.metadata.o4'])
  })

  it('drops all surplus of the context before it refuses the message', () => {
    const resolved = resolve({
      context: [{ metadata: keys(10, 'c') }],
      postmark: { metadata: keys(10, 'm') },
    })
    expect(resolved.fields.metadata).toEqual(keys(10, 'm'))
    expect(resolved.errors).toEqual([])
  })

  it('refuses keys of the message and of headers that are too many together', () => {
    const headers = Object.fromEntries(Object.keys(keys(5, 'h')).map((key) => [`X-PM-Metadata-${key}`, 'x']))
    expect(resolve({ postmark: { metadata: keys(5) }, headers }).errors).toEqual([])
    const resolved = resolve({ postmark: { metadata: keys(6) }, headers })
    expect(resolved.errors).toMatchObject([
      {
        path: 'postmark.metadata',
        found: 'has 11 keys, including those from headers',
        limit: 'at most 10 keys',
        errorCode: 300,
      },
    ])
    expect(Object.keys(resolved.fields.metadata ?? {})).toHaveLength(11)
  })

  it('refuses them also where a level clears a key as well', () => {
    const headers = Object.fromEntries(Object.keys(keys(5, 'h')).map((key) => [`X-PM-Metadata-${key}`, 'x']))
    const resolved = resolve({ postmark: { metadata: { ...keys(10), gone: null } }, headers })
    expect(resolved.errors).toMatchObject([
      { path: 'postmark.metadata', found: 'has 15 keys, including those from headers' },
    ])
  })

  it('counts a key that two levels name once', () => {
    const levels = { context: [{ metadata: keys(10, 'K') }], postmark: { metadata: keys(10, 'k') } }
    expect(resolve(levels)).toMatchObject({ fields: { metadata: keys(10, 'k') }, ...clean })
  })

  it.each<[string, Levels, string]>([
    ['the message', { postmark: { messageStream: 'No' } }, 'postmark.messageStream'],
    ['a header', { headers: { 'X-PM-Message-Stream': 'No' } }, 'headers.X-PM-Message-Stream'],
    ['a header of a raw message', { raw: { 'x-pm-message-stream': 'No' } }, 'raw.X-PM-Message-Stream'],
    ['a scope', { context: [{ messageStream: 'No' }, {}] }, 'context.messageStream'],
    ['a context function', { context: [() => ({ messageStream: 'No' })] }, 'context.messageStream'],
    [
      'the transport\u2019s second argument',
      { transport: { messageStream: 'No' } },
      'defaults.messageStream',
    ],
    ['a scope that gives no text', { context: [{ messageStream: false }] }, 'context.messageStream'],
  ])('rejects in every mode a stream that is none, from %s', (_title, levels, path) => {
    for (const preflight of ['throw', 'warn', 'fit'] as const) {
      const resolved = resolve(levels, { preflight })
      expect(resolved.fatal).toMatchObject([{ path, severity: 'error', errorCode: 1235 }])
      expect(resolved).toMatchObject({ errors: [], warnings: [] })
    }
  })

  it('lets a nearer stream cover one that is none', () => {
    const resolved = resolve({ context: [{ messageStream: 'No' }], postmark: { messageStream: 'news' } })
    expect(resolved).toMatchObject({
      fields: { messageStream: 'news' },
      fatal: [],
      errors: [],
      warnings: [{ path: 'context.messageStream' }],
    })
  })

  it('warns of characters outside ASCII at every level, and refuses at none', () => {
    const resolved = resolve({
      context: [{ tag: 'é' }],
      postmark: { metadata: { k: 'é' } },
      headers: { 'X-PM-Metadata-h': 'é' },
    })
    expect(resolved).toMatchObject({
      fields: { tag: 'é', metadata: { k: 'é', h: 'é' } },
      errors: [],
      fatal: [],
    })
    expect(resolved.warnings.map(({ path }) => path).sort()).toEqual([
      'context.tag',
      'headers.X-PM-Metadata-h',
      'postmark.metadata.k',
    ])
  })
})

describe('correlationId', () => {
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

  it('is off by default', () => {
    expect(resolve({})).toMatchObject({ fields: {}, correlationId: undefined, ...clean })
  })

  it('adds a new UUID to each email', () => {
    const [a, b] = [resolve({}, { correlationId: true }), resolve({}, { correlationId: true })]
    expect(a.correlationId).toMatch(uuid)
    expect(a.fields).toEqual({ metadata: { 'correlation-id': a.correlationId } })
    expect(a.correlationId).not.toBe(b.correlationId)
    expect(resolve({}, { correlationId: { key: 'trace' } }).fields).toEqual({
      metadata: { trace: expect.stringMatching(uuid) },
    })
  })

  it.each<[string, Levels]>([
    ['on the message', { postmark: { metadata: { 'Correlation-ID': 'mine' } } }],
    ['in a scope', { context: [{ metadata: { 'Correlation-ID': 'mine' } }] }],
    ['in a header', { headers: { 'X-PM-Metadata-Correlation-ID': 'mine' } }],
  ])('lets an explicit key win: %s', (_title, levels) => {
    expect(resolve(levels, { correlationId: true })).toMatchObject({
      correlationId: 'mine',
      fields: { metadata: { 'Correlation-ID': 'mine' } },
      ...clean,
    })
  })

  it('is left out where the key is cleared', () => {
    const resolved = resolve({ postmark: { metadata: { 'correlation-id': null } } }, { correlationId: true })
    expect(resolved).toMatchObject({ fields: {}, correlationId: undefined, ...clean })
  })

  it('takes the tenth place, and goes without one with a warning', () => {
    const nine = resolve({ postmark: { metadata: keys(9) } }, { correlationId: true })
    expect(Object.keys(nine.fields.metadata ?? {})).toHaveLength(10)
    const ten = resolve({ postmark: { metadata: keys(10) } }, { correlationId: true })
    expect(ten).toMatchObject({ fields: { metadata: keys(10) }, correlationId: undefined, errors: [] })
    expect(ten.warnings).toMatchObject([{ path: 'metadata.correlation-id', severity: 'warning' }])
  })
})
