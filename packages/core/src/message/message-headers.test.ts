import { describe, expect, it } from 'vitest'
import { MISSPELLED_HEADERS, RESERVED_HEADERS } from '../vocabulary/vocabulary.js'
import type { GivenHeader } from './header-shapes.js'
import { isPostmarkHeader, joinHeaders, splitHeaders } from './header-shapes.js'
import { readHeaders } from './message-headers.js'

const given = (...headers: readonly (readonly [string, unknown])[]): GivenHeader[] =>
  headers.map(([name, value]) => ({ name, value }))

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze)
  return value
}

describe('isPostmarkHeader', () => {
  it.each([
    'X-PM-Tag',
    'x-pm-tag',
    'X-Pm-Anything',
    ' X-PM-Tag',
    'X -PM-Tag',
    'X\r\n-PM-Tag',
    '\0X-PM-Tag',
    ':X-PM-Tag',
    'X-P:M-Tag',
    '\u007fx-pm-',
    '\u00a0X-PM-Tag',
  ])('knows %j, which Nodemailer writes with the prefix', (name) => {
    expect(isPostmarkHeader(name)).toBe(true)
  })
  it.each(['X-PMTag', 'X-Tag', 'Subject', '', ' ', 'PM-Tag', 'A-X-PM-Tag', 'X_PM_Tag'])(
    'leaves %j alone',
    (name) => {
      expect(isPostmarkHeader(name)).toBe(false)
    },
  )
})

describe('splitHeaders', () => {
  const other = { 'X-Other': 'o' }
  const otherPair = { key: 'X-Other', value: 'o' }
  const table: readonly (readonly [string, unknown, readonly GivenHeader[], unknown])[] = [
    ['a map', { 'X-PM-Tag': 'a', ...other }, given(['X-PM-Tag', 'a']), other],
    [
      'an array of pairs',
      [{ key: 'X-PM-Tag', value: 'a' }, otherPair],
      given(['X-PM-Tag', 'a']),
      [otherPair],
    ],
    ['one pair', { key: 'X-PM-Tag', value: 'a' }, given(['X-PM-Tag', 'a']), {}],
    ['one pair of another header', otherPair, [], otherPair],
    ['a map with a header named key', { key: 'X-PM-Tag' }, [], { key: 'X-PM-Tag' }],
    ['several values', { 'X-PM-Tag': ['a', 'b'] }, given(['X-PM-Tag', 'a'], ['X-PM-Tag', 'b']), {}],
    ['nested values', { 'X-PM-Tag': [['a'], []] }, given(['X-PM-Tag', 'a']), {}],
    ['a prepared value', { 'X-PM-Tag': { prepared: true, value: 'a' } }, given(['X-PM-Tag', 'a']), {}],
    [
      'prepared values in an array',
      [{ key: 'X-PM-Tag', value: [{ prepared: true, value: 'a' }] }],
      given(['X-PM-Tag', 'a']),
      [],
    ],
    [
      'falsy values',
      { 'X-PM-Metadata-n': 0, 'X-PM-Metadata-b': false, 'X-PM-Tag': null },
      given(['X-PM-Metadata-n', 0], ['X-PM-Metadata-b', false], ['X-PM-Tag', null]),
      {},
    ],
    [
      'entries of an array that are no pairs',
      [null, 'a', 7, { key: 'X-PM-Tag' }],
      [],
      [null, 'a', 7, { key: 'X-PM-Tag' }],
    ],
    ['no headers', undefined, [], undefined],
    ['null', null, [], null],
    ['text', 'X-PM-Tag: a', [], 'X-PM-Tag: a'],
  ]
  it.each(table)('parts %s', (_title, headers, postmark, rest) => {
    expect(splitHeaders(deepFreeze(headers))).toEqual({ postmark, rest })
  })

  it('keeps headers without the prefix as the object they were', () => {
    const headers = { 'X-Other': 'a' }
    expect(splitHeaders(headers).rest).toBe(headers)
  })

  it('keeps __proto__ as a header of others', () => {
    const headers = JSON.parse('{ "__proto__": "a", "X-PM-Tag": "b" }')
    expect(Object.entries(splitHeaders(headers).rest as object)).toEqual([['__proto__', 'a']])
  })
})

describe('joinHeaders', () => {
  const entry = { key: 'X-PM-Tag', value: 'a' }
  it.each([
    ['a map', { 'X-Other': 'o' }, { 'X-Other': 'o', 'X-PM-Tag': 'a' }],
    ['an array', [{ key: 'X-Other', value: 'o' }], [{ key: 'X-Other', value: 'o' }, entry]],
    ['one pair', { key: 'X-Other', value: 'o' }, [{ key: 'X-Other', value: 'o' }, entry]],
    ['no headers', undefined, { 'X-PM-Tag': 'a' }],
  ])('adds to %s without touching it', (_title, rest, joined) => {
    expect(joinHeaders(deepFreeze(rest), [entry])).toEqual(joined)
  })
})

describe('readHeaders', () => {
  it('reads each field, whatever the case of its name', () => {
    const reading = readHeaders(
      given(
        ['x-pm-tag', ' a '],
        ['X-PM-METADATA-orderId', 0],
        ['X-Pm-Keepid', 'true'],
        ['X-PM-TrackOpens', 'False'],
        ['X-PM-TrackLinks', 'none'],
        ['X-PM-Message-Stream', 'news'],
        ['X-PM-Bounce-Type', 'HardBounce'],
      ),
      'headers',
    )
    expect(reading.problems).toEqual([])
    expect(reading.fields).toEqual({
      tag: 'a',
      metadata: { orderId: '0' },
      keepId: true,
      trackOpens: false,
      trackLinks: 'None',
      messageStream: 'news',
      bounceType: 'HardBounce',
    })
  })

  it('passes over undefined and clears with null', () => {
    const reading = readHeaders(given(['X-PM-Tag', undefined], ['X-PM-Metadata-a', null]), 'headers')
    expect(reading).toMatchObject({ fields: { metadata: { a: null } }, problems: [] })
    expect(reading.fields).not.toHaveProperty('tag')
  })

  const mistakes: readonly (readonly [string, string, unknown, object])[] = [
    ['hyphenated X-PM-Track-Opens', 'X-PM-Track-Opens', 'true', { limit: 'X-PM-TrackOpens' }],
    ['hyphenated X-PM-Track-Links', 'x-pm-track-links', 'None', { limit: 'X-PM-TrackLinks' }],
    ['metadata as one JSON header', 'X-PM-Metadata', '{"a":1}', { limit: 'X-PM-Metadata-<key>' }],
    ['metadata without a key', 'X-PM-Metadata-', 'a', { found: 'has no key' }],
    ['X-PM-Tags', 'X-PM-Tags', 'a', { limit: 'X-PM-Tag' }],
    ['X-PM-Stream', 'X-PM-Stream', 'a', { limit: 'X-PM-Message-Stream' }],
    ['a name with a space', 'X-PM-Metadata-a b', 'x', { found: 'is not a header name' }],
    ['a name with a line break', 'X-PM-Tag\r\nBcc', 'x', { found: 'is not a header name' }],
    ['a name with a colon', 'X-PM-Tag:', 'x', { found: 'is not a header name' }],
    ['a name outside ASCII', 'X-PM-Metadata-é', 'x', { found: 'is not a header name' }],
    ['an empty array in a prepared tag', 'X-PM-Tag', [], { found: 'is an array of length 0' }],
  ]
  it.each(mistakes)('refuses %s', (_title, name, value, problem) => {
    expect(readHeaders(given([name, value]), 'headers').problems).toMatchObject([
      { severity: 'error', errorCode: 300, ...problem },
    ])
  })

  it.each([...MISSPELLED_HEADERS.keys()])('names the header that %s means', (name) => {
    const [problem] = readHeaders(given([name.toUpperCase(), 'x']), 'headers').problems
    expect(problem).toMatchObject({ path: `headers.${name.toUpperCase()}` })
    expect(problem?.cure).toContain(`Write ${MISSPELLED_HEADERS.get(name)}`)
  })

  it.each(RESERVED_HEADERS)('refuses %s, which Postmark writes itself', (name) => {
    for (const spelling of [name, name.toLowerCase(), name.toUpperCase()]) {
      expect(readHeaders(given([spelling, 'x']), 'headers').problems).toMatchObject([
        { path: `headers.${spelling}`, limit: 'a header that senders may set', severity: 'error' },
      ])
    }
  })

  it.each([
    ['the same spelling', 'X-PM-Tag', 'X-PM-Tag'],
    ['another spelling', 'X-PM-Tag', 'x-pm-TAG'],
    ['another spelling of a metadata key', 'X-PM-Metadata-Id', 'X-PM-Metadata-id'],
  ])('refuses a field given twice in %s, and keeps the first', (_title, first, second) => {
    const reading = readHeaders(given([first, 'a'], [second, 'b']), 'headers')
    expect(reading.problems).toMatchObject([{ path: `headers.${second}`, found: 'is given twice' }])
    expect(JSON.stringify(reading.fields)).toMatch(/"a"/)
    expect(JSON.stringify(reading.fields)).not.toMatch(/"b"/)
  })

  it('says what Postmark does with a metadata key that is given twice, and warns in a raw message, which goes out as it is', () => {
    const twice = given(['X-PM-Metadata-id', 'a'], ['X-PM-Metadata-ID', 'b'])
    const cure = 'Remove or rename one. If there are two, Postmark adds a number to the name of the second.'
    expect(readHeaders(twice, 'headers').problems).toMatchObject([{ cure, severity: 'error' }])
    expect(readHeaders(twice, 'raw').problems).toMatchObject([{ cure, severity: 'warning' }])
    const tags = given(['X-PM-Tag', 'a'], ['X-PM-Tag', 'b'])
    expect(readHeaders(tags, 'raw').problems).toMatchObject([{ severity: 'error' }])
  })

  it('takes two spellings for two places where it cannot tell, but never two lines of one spelling', () => {
    const lenient = readHeaders(given(['X-PM-Tag', 'a'], ['x-pm-tag', 'b']), 'headers', true)
    expect(lenient).toMatchObject({ fields: { tag: 'a' }, problems: [], twins: [{ severity: 'warning' }] })
    const same = readHeaders(given(['X-PM-Tag', 'a'], ['X-PM-Tag', 'b']), 'headers', true)
    expect(same).toMatchObject({ fields: { tag: 'a' }, problems: [{ severity: 'error' }], twins: [] })
  })

  it('keeps a header that is newer than the vocabulary, and marks one that is wrong', () => {
    const reading = readHeaders(given(['X-PM-New', 'a'], ['X-PM-Track-Opens', 'true']), 'headers')
    expect(reading.kept).toEqual([
      { name: 'X-PM-New', value: 'a', wrong: false },
      { name: 'X-PM-Track-Opens', value: 'true', wrong: true },
    ])
    expect(reading.problems).toHaveLength(1)
  })

  it('refuses a line break in a header that is newer, and keeps the value on one line', () => {
    const reading = readHeaders(given(['X-PM-New', 'a\r\nBcc: b@example.com']), 'headers')
    expect(reading.kept).toEqual([{ name: 'X-PM-New', value: 'a Bcc: b@example.com', wrong: false }])
    expect(reading.problems).toMatchObject([{ path: 'headers.X-PM-New', limit: 'one line of text' }])
  })

  it.each([[null], [''], [{ a: 1 }], [Symbol('a')]])('keeps no header of %s', (value) => {
    expect(readHeaders(given(['X-PM-New', value]), 'headers').kept).toEqual([])
  })

  it('names the header, not the field, in the path of a problem', () => {
    const reading = readHeaders(
      given(['X-PM-Tag', ['a']], ['X-PM-Metadata-a.b', 'x'.repeat(81)], ['X-PM-Message-Stream', 'No']),
      'headers',
    )
    expect(reading.problems.map(({ path }) => path)).toEqual([
      'headers.X-PM-Tag',
      'headers.X-PM-Message-Stream',
      'headers.X-PM-Metadata-a.b',
    ])
  })
})
