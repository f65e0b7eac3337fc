import { describe, expect, it } from 'vitest'
import type { PostmarkProblem } from '../problems/problem.js'
import { mergeFields } from './merge-fields.js'
import { parseFields } from './parse-fields.js'
import { readFields } from './read-fields.js'

const errorsOf = (given: unknown) =>
  readFields(given, 'fields').problems.filter(({ severity }) => severity === 'error')
const warningsOf = (given: unknown) =>
  readFields(given, 'fields').problems.filter(({ severity }) => severity === 'warning')

describe('parseFields', () => {
  it.each([
    ['keeps a legal stream', { messageStream: 'a1-b_c' }, { messageStream: 'a1-b_c' }],
    ['keeps a legal tag', { tag: 'welcome mail' }, { tag: 'welcome mail' }],
    ['keeps quotes and equals signs in a tag', { tag: 'a "b" =?c?=' }, { tag: 'a "b" =?c?=' }],
    ['trims white space around a text', { tag: ' \u00a0welcome ' }, { tag: 'welcome' }],
    ['keeps white space inside a text', { tag: 'a  b' }, { tag: 'a  b' }],
    ['keeps a number as text', { tag: 7 }, { tag: '7' }],
    ['keeps a falsy number of metadata as text', { metadata: { n: 0 } }, { metadata: { n: '0' } }],
    ['keeps minus zero as 0', { metadata: { n: -0 } }, { metadata: { n: '0' } }],
    ['keeps false of metadata as text', { metadata: { b: false } }, { metadata: { b: 'false' } }],
    ['keeps null of a metadata key', { metadata: { a: null } }, { metadata: { a: null } }],
    ['passes over undefined of a metadata key', { metadata: { a: undefined } }, { metadata: {} }],
    ['keeps the spelling of metadata keys', { metadata: { orderID: 'x' } }, { metadata: { orderID: 'x' } }],
    [
      'keeps every character of a header name in a key',
      { metadata: { "!#$%&'*": 'x' } },
      { metadata: { "!#$%&'*": 'x' } },
    ],
    ['keeps null', { tag: null, metadata: null }, { tag: null, metadata: null }],
    ['passes over undefined', { tag: undefined }, {}],
    ['passes over an empty text', { tag: '' }, {}],
    ['passes over a text of white space', { metadata: { a: ' \u00a0 ' } }, { metadata: {} }],
    ['keeps true', { trackOpens: true }, { trackOpens: true }],
    ['keeps false', { trackOpens: false }, { trackOpens: false }],
    [
      'reads true and false as words',
      { trackOpens: ' FALSE ', keepId: 'true' },
      { trackOpens: false, keepId: true },
    ],
    ['reads keepId false as cleared', { keepId: false }, { keepId: null }],
    ['reads trackLinks without regard to case', { trackLinks: 'htmlONLY' }, { trackLinks: 'HtmlOnly' }],
    ['keeps None of trackLinks', { trackLinks: 'None' }, { trackLinks: 'None' }],
    ['keeps the name of a bounce type', { bounceType: 'HardBounce' }, { bounceType: 'HardBounce' }],
    ['keeps characters outside ASCII', { tag: 'Grüße 👋' }, { tag: 'Grüße 👋' }],
    ['reads undefined as no fields', undefined, {}],
    ['reads null as no fields', null, {}],
    ['reads an object without a prototype', Object.assign(Object.create(null), { tag: 'a' }), { tag: 'a' }],
  ])('%s', (_title, given, parsed) => {
    expect(parseFields(given)).toStrictEqual(parsed)
  })

  it('keeps __proto__ as a metadata key', () => {
    const given = JSON.parse('{ "metadata": { "__proto__": "x", "constructor": "y", "toString": "z" } }')
    const { metadata } = parseFields(given)
    expect(Object.entries(metadata ?? {})).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
      ['toString', 'z'],
    ])
  })

  it.each([
    ['__proto__', '{ "__proto__": { "tag": "x" } }'],
    ['constructor', '{ "constructor": "x" }'],
  ])('refuses %s as a field', (field, json) => {
    expect(errorsOf(JSON.parse(json))).toMatchObject([
      { path: `fields.${field}`, found: 'is not a Postmark field' },
    ])
  })

  it('throws every problem at once, with the place and the cure of each', () => {
    const given = { tag: ['a'], trackLinks: 'All', metadata: { 'a b': '1', c: 'x'.repeat(81) } }
    expect(() => parseFields(given)).toThrow(
      expect.objectContaining({
        code: 'ERR_POSTMARK_FIELDS',
        message: expect.stringMatching(
          /4 problems[\s\S]*fields\.tag[\s\S]*fields\.trackLinks[\s\S]*"a b"[\s\S]*metadata\.c/,
        ),
        problems: errorsOf(given),
      }),
    )
  })

  it('returns fields that have warnings alone', () => {
    expect(parseFields({ tag: 'é', metadata: { a: '' } })).toEqual({ tag: 'é', metadata: {} })
  })
})

describe('readFields', () => {
  const refused: readonly (readonly [string, unknown, Partial<PostmarkProblem>])[] = [
    ['a text', 'tag', { path: 'fields', found: 'is "tag"' }],
    ['an array', [{ tag: 'a' }], { path: 'fields', found: 'is an array of length 1' }],
    ['a function', () => ({}), { path: 'fields', found: 'is a function' }],
    [
      'a tag of an array',
      { tag: ['a', 'b'] },
      { path: 'fields.tag', found: 'is an array of length 2', limit: 'one string' },
    ],
    ['a tag of one in an array', { tag: ['a'] }, { path: 'fields.tag', found: 'is an array of length 1' }],
    ['a tag of an object', { tag: { a: 1 } }, { path: 'fields.tag', found: 'is an object' }],
    ['a tag of a symbol', { tag: Symbol('a') }, { path: 'fields.tag', found: 'is a symbol' }],
    ['NaN', { metadata: { a: Number.NaN } }, { path: 'fields.metadata.a', found: 'is NaN' }],
    [
      'Infinity',
      { metadata: { a: Number.POSITIVE_INFINITY } },
      { path: 'fields.metadata.a', found: 'is Infinity' },
    ],
    ['a big integer', { metadata: { a: 1n } }, { path: 'fields.metadata.a', found: 'is a bigint' }],
    ['a date', { metadata: { a: new Date(0) } }, { path: 'fields.metadata.a', found: 'is an object' }],
    [
      'an array of metadata',
      { metadata: ['a'] },
      { path: 'fields.metadata', found: 'is an array of length 1' },
    ],
    [
      'metadata as JSON text',
      { metadata: '{"a":1}' },
      { path: 'fields.metadata', found: 'is "{\\"a\\":1}"' },
    ],
    ['a map', { metadata: 7 }, { path: 'fields.metadata', found: 'is 7' }],
    [
      'an empty metadata key',
      { metadata: { '': 'x' } },
      { path: 'fields.metadata[""]', found: 'is not a header name' },
    ],
    ['a space in a metadata key', { metadata: { 'a b': 'x' } }, { path: 'fields.metadata["a b"]' }],
    ['a colon in a metadata key', { metadata: { 'a:b': 'x' } }, { path: 'fields.metadata["a:b"]' }],
    [
      'a line break in a metadata key',
      { metadata: { 'a\r\nb': 'x' } },
      { path: 'fields.metadata["a\\r\\nb"]' },
    ],
    ['a metadata key outside ASCII', { metadata: { é: 'x' } }, { path: 'fields.metadata["é"]' }],
    ['a NUL in a metadata key', { metadata: { 'a\0': 'x' } }, { path: 'fields.metadata["a\\u0000"]' }],
    ['a word for trackOpens', { trackOpens: 'yes' }, { path: 'fields.trackOpens', found: 'is "yes"' }],
    ['a number for keepId', { keepId: 1 }, { path: 'fields.keepId', found: 'is 1' }],
    ['a boolean for trackLinks', { trackLinks: true }, { path: 'fields.trackLinks', found: 'is true' }],
    ['a bounce type with a space', { bounceType: 'Hard Bounce' }, { path: 'fields.bounceType' }],
    ['a bounce type of 51 letters', { bounceType: 'x'.repeat(51) }, { path: 'fields.bounceType' }],
    ['a bounce type of a number', { bounceType: 1 }, { path: 'fields.bounceType', found: 'is 1' }],
  ]
  it.each(refused)('refuses %s, and leaves the value out', (_title, given, problem) => {
    const { fields } = readFields(given, 'fields')
    expect(errorsOf(given)).toEqual([
      expect.objectContaining({ ...problem, severity: 'error', errorCode: 300 }),
    ])
    expect(Object.values(fields).filter((value) => Object.keys(value as object).length > 0)).toEqual([])
  })

  it.each([
    ['tags', 'tag'],
    ['Tag', 'tag'],
    ['metaData', 'metadata'],
    ['metadat', 'metadata'],
    ['meta', undefined],
    ['stream', 'messageStream'],
    ['campaign', undefined],
    ['message_stream', 'messageStream'],
    ['messagestream', 'messageStream'],
    ['trackOpen', 'trackOpens'],
    ['track-links', 'trackLinks'],
    ['keepID', 'keepId'],
    ['bounce_type', 'bounceType'],
    ['template', undefined],
  ])('refuses the field name %s and proposes %s', (name, meant) => {
    const cure = meant ? `Did you mean "${meant}"?` : expect.stringContaining('belong in metadata')
    expect(errorsOf({ [name]: 'x' })).toMatchObject([{ path: `fields.${name}`, cure }])
  })

  it('proposes the close match of a misspelt choice', () => {
    expect(errorsOf({ trackLinks: 'HtmlAndTxt' })).toMatchObject([{ cure: 'Did you mean "HtmlAndText"?' }])
    expect(errorsOf({ trackLinks: 'everything' })).toMatchObject([{ cure: 'Choose one of them.' }])
  })

  it.each([
    ['CR LF', 'a\r\nBcc: x@example.com', 'a Bcc: x@example.com'],
    ['LF', 'a\nb', 'a b'],
    ['CR', 'a\rb', 'a b'],
    ['NUL', 'a\0b', 'a b'],
    ['a tab', 'a\tb', 'a b'],
    ['DEL', 'a\u007fb', 'a b'],
    ['a C1 control', 'a\u0085b', 'a b'],
    ['a line separator', 'a\u2028b', 'a b'],
    ['a paragraph separator', 'a\u2029b', 'a b'],
    ['several in a row', 'a\r\n\r\n\0b', 'a b'],
    ['one at each end', '\na\n', 'a'],
  ])('refuses %s in a value, and reads it as a space', (_title, value, read) => {
    const reading = readFields({ tag: value, metadata: { k: value } }, 'fields')
    expect(reading.fields).toEqual({ tag: read, metadata: { k: read } })
    expect(errorsOf({ tag: value, metadata: { k: value } })).toMatchObject([
      { path: 'fields.tag', limit: 'one line of text' },
      { path: 'fields.metadata.k', limit: 'one line of text' },
    ])
  })

  it.each([
    ['a high one', 'a\ud83d', 'a\ufffd'],
    ['a low one', '\ude00a', '\ufffda'],
    ['two in the wrong order', '\ude00\ud83d', '\ufffd\ufffd'],
  ])('refuses half a surrogate pair (%s), which has no form on the wire', (_title, value, read) => {
    expect(readFields({ tag: value }, 'fields').fields).toEqual({ tag: read })
    expect(errorsOf({ tag: value })).toMatchObject([{ path: 'fields.tag' }])
  })

  it.each(['é', '漢字', '👋', 'a\u200db', 'a\u00a0b'])(
    'warns of %j, which is not printable ASCII',
    (value) => {
      expect(errorsOf({ tag: value })).toEqual([])
      expect(warningsOf({ tag: value, metadata: { k: value } })).toMatchObject([
        { path: 'fields.tag', found: 'has characters outside printable ASCII' },
        { path: 'fields.metadata.k', found: 'has characters outside printable ASCII' },
      ])
    },
  )

  it('says nothing about printable ASCII', () => {
    const ascii = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('')
    expect(readFields({ tag: ascii }, 'fields')).toEqual({ fields: { tag: ascii.trim() }, problems: [] })
  })

  it.each([
    ['tag', { tag: '' }],
    ['metadata.a', { metadata: { a: '  ' } }],
  ])('warns of an empty %s, and names null as the way to clear', (path, given) => {
    expect(warningsOf(given)).toMatchObject([
      { path: `fields.${path}`, found: 'is empty', cure: expect.stringContaining('null') },
    ])
    expect(errorsOf(given)).toEqual([])
  })

  it('keeps the first of two metadata keys that differ only by case', () => {
    const reading = readFields({ metadata: { orderId: '1', OrderID: '2', orderid: '3' } }, 'fields')
    expect(reading.fields).toEqual({ metadata: { orderId: '1' } })
    expect(reading.problems).toMatchObject([
      { path: 'fields.metadata.OrderID', found: 'differs from "orderId" only by case' },
      { path: 'fields.metadata.orderid', found: 'differs from "orderId" only by case' },
    ])
  })

  it.each<[string, object]>([
    [
      'a Map',
      new Map<string, unknown>([
        ['order-id', 7],
        ['paid', false],
        ['gone', undefined],
      ]),
    ],
    ['URLSearchParams', new URLSearchParams('order-id=7&paid=false')],
    ['Headers', new Headers({ 'Order-ID': '7', Paid: 'false' })],
    ['FormData', new FormData()],
    [
      'pairs',
      [
        ['order-id', 7],
        ['paid', false],
      ],
    ],
    [
      'getters',
      {
        get 'order-id'() {
          return 7
        },
        get paid() {
          return false
        },
      },
    ],
    ['an object without a prototype', Object.assign(Object.create(null), { 'order-id': 7, paid: false })],
    [
      'an instance with fields of its own',
      new (class {
        'order-id' = 7
        paid = false
      })(),
    ],
  ])('reads metadata from %s', (title, metadata) => {
    if (metadata instanceof FormData) {
      metadata.append('order-id', '7')
      metadata.append('paid', 'false')
    }
    expect(readFields({ metadata }, 'fields'), title).toEqual({
      fields: { metadata: { 'order-id': '7', paid: 'false' } },
      problems: [],
    })
    expect(mergeFields({ metadata } as never)).toHaveProperty('metadata.order-id')
  })

  it.each<[string, unknown, string]>([
    [
      'getters of its class',
      new (class Order {
        get id() {
          return 7
        }
      })(),
      'is an Order without own keys and values',
    ],
    ['a Date', new Date(0), 'is a Date without own keys and values'],
    ['a Set', new Set(['a']), 'is a Set without own keys and values'],
    ['a Promise', Promise.resolve({ id: 7 }), 'is a Promise without own keys and values'],
    ['an array of texts', ['a'], 'is an array of length 1'],
    ['a text', 'a', 'is "a"'],
    ['a number', 7, 'is 7'],
  ])('refuses metadata of %s, and says where', (_title, metadata, found) => {
    expect(readFields({ metadata }, 'fields')).toMatchObject({
      fields: {},
      problems: [
        {
          path: 'fields.metadata',
          found,
          cure: 'Use an object such as {"order-id":"1234"}.',
          severity: 'error',
        },
      ],
    })
  })

  it('reads fields from a Map too, and refuses an object whose getters belong to its class', () => {
    expect(readFields(new Map([['tag', 'welcome']]), 'fields')).toEqual({
      fields: { tag: 'welcome' },
      problems: [],
    })
    class Fields {
      get tag() {
        return 'welcome'
      }
    }
    expect(readFields(new Fields(), 'fields').problems).toMatchObject([
      { path: 'fields', found: 'is a Fields without own fields' },
    ])
  })

  it('reads the keys of an iterable without an end no longer than any fields are', () => {
    function* endless() {
      for (let index = 0; ; index++) yield [`k${index}`, 'x']
    }
    expect(readFields({ metadata: endless() }, 'fields').problems).toMatchObject([
      { path: 'fields.metadata' },
    ])
  })

  it('refuses a key that is given twice, and keeps the first', () => {
    const { fields, problems } = readFields({ metadata: new URLSearchParams('a=1&a=2') }, 'fields')
    expect(fields).toEqual({ metadata: { a: '1' } })
    expect(problems).toMatchObject([
      { path: 'fields.metadata.a', found: 'is given twice', limit: 'each key once' },
    ])
  })

  it.each([
    ['soft_bounce', 'SoftBounce'],
    ['Hard_Bounce', 'HardBounce'],
    ['softbounce', 'SoftBounce'],
    ['SMTPAPIERROR', 'SMTPApiError'],
    ['SoftBounce', 'SoftBounce'],
    ['Brand_New', 'Brand_New'],
  ])('reads the bounce type %s as %s', (bounceType, name) => {
    expect(readFields({ bounceType }, 'fields')).toEqual({ fields: { bounceType: name }, problems: [] })
  })

  it('warns of a spam complaint, which Postmark does not fake', () => {
    expect(readFields({ bounceType: 'spam_complaint' }, 'fields')).toMatchObject({
      fields: { bounceType: 'SpamComplaint' },
      problems: [{ path: 'fields.bounceType', severity: 'warning' }],
    })
  })

  it('counts the keys that have a value', () => {
    const keys = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'x']))
    expect(errorsOf({ metadata: { ...keys(10), gone: null, absent: undefined } })).toEqual([])
    expect(errorsOf({ metadata: { ...keys(12), gone: null } })).toMatchObject([
      { path: 'fields.metadata', found: 'has 12 keys', limit: 'at most 10 keys' },
    ])
  })

  it('keeps a value that is too long, so that it can be fitted', () => {
    const tag = 'x'.repeat(1001)
    expect(readFields({ tag }, 'fields')).toMatchObject({
      fields: { tag },
      problems: [{ path: 'fields.tag', found: 'has 1001 characters', limit: 'at most 1000 characters' }],
    })
  })

  it.each([
    ['Outbound', 1235],
    ['my stream', 1235],
    ['1st', 1235],
    ['', 1235],
    [' outbound', 1235],
    ['pm-tea', 1235],
    ['inbound', 1236],
  ])('keeps the stream %j, which no email may silently lose, and refuses it', (messageStream, errorCode) => {
    const reading = readFields({ messageStream }, 'fields')
    expect(reading.fields).toEqual({ messageStream })
    expect(reading.problems).toMatchObject([{ path: 'fields.messageStream', severity: 'error', errorCode }])
  })

  it.each([[7], [['outbound']], [{}], [true]])(
    'refuses the stream %j and keeps that there was one',
    (stream) => {
      const { fields, problems } = readFields({ messageStream: stream }, 'fields')
      expect(fields.messageStream).toEqual(expect.any(String))
      expect(problems).toMatchObject([{ path: 'fields.messageStream', errorCode: 1235 }])
    },
  )

  it('reports a getter that throws, and keeps what it read before', () => {
    const given = {
      tag: 'a',
      get metadata() {
        throw new Error('no session')
      },
    }
    expect(readFields(given, 'fields')).toMatchObject({
      fields: { tag: 'a' },
      problems: [{ path: 'fields', found: 'no session', severity: 'error' }],
    })
  })

  it('never quotes a long value, which may be private', () => {
    const secret = 'x'.repeat(41)
    expect(JSON.stringify(errorsOf({ trackLinks: secret, bounceType: secret + 1 }))).not.toContain('xxx')
  })

  it('puts the given path in front', () => {
    expect(readFields({ tag: [] }, 'postmark').problems).toMatchObject([{ path: 'postmark.tag' }])
  })
})

it.each(['idempotencyKey', 'idempotencykey'])('says that %s belongs on the message', (name) => {
  expect(readFields({ [name]: 'receipt-1' }, 'postmark').problems).toMatchObject([
    { path: `postmark.${name}`, cure: 'It belongs on the message itself: sendMail({ idempotencyKey }).' },
  ])
})
