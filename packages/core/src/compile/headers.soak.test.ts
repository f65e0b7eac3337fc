import { size } from '@postmark-smtp/testing'
import fc from 'fast-check'
import { createTransport } from 'nodemailer'
import { expect, it } from 'vitest'
import { runWithPostmark } from '../context/context.js'
import { isPostmarkError } from '../problems/error.js'
import {
  MISSPELLED_HEADERS,
  POSTMARK_FIELDS,
  type PostmarkFields,
  RESERVED_HEADERS,
} from '../vocabulary/vocabulary.js'
import { attachPostmark } from './attach.js'

/*
 * Fields and headers of every shape go through attachPostmark into bytes. A model in this file, written apart
 * from the sources, says what each email must carry, or that it must be refused.
 */

const RUNS = size(20_000, 8, 50_000)
const MODES = ['throw', 'warn', 'fit'] as const
type Mode = (typeof MODES)[number]

/** A header as a caller writes it. */
interface Written {
  readonly name: string
  readonly value: unknown
}

interface Shape {
  readonly mode: Mode
  readonly scope: Readonly<Record<string, unknown>> | undefined
  readonly postmark: unknown
  readonly form: 'map' | 'array' | 'single'
  readonly headers: readonly Written[]
  readonly raw: boolean
}

// ---- what callers write

const pieces = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  '\t',
  '\u007f',
  '\u0085',
  '\u2028',
  '\ud83d',
  '😀',
  '\ufeff',
  ' ',
  '  ',
  ': ',
  '"',
  "'",
  '\\',
  '=?UTF-8?Q?a?=',
  '=?',
  '?=',
  'Bcc: a@example.com',
  'X-PM-Tag: x',
  'é',
  '(',
  '<a@b>',
  ',',
  '%0A',
]

const texts = (maxLength: number): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.string({ maxLength }) },
    { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength }) },
    fc.string({ unit: 'binary', maxLength }),
    {
      weight: 2,
      arbitrary: fc
        .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 12 })), { maxLength: 12 })
        .map((all) => all.join('')),
    },
    fc
      .integer({ min: maxLength - 2, max: maxLength + 2 })
      .chain((length) => fc.string({ minLength: length, maxLength: length })),
    fc.constantFrom(0, false, true, -0, 1e21, 42, '', ' ', null, undefined),
    fc.constantFrom<unknown>(
      Number.NaN,
      Number.POSITIVE_INFINITY,
      {},
      [],
      ['a'],
      10n,
      Symbol('a'),
      () => 'a',
      new Date(0),
    ),
  )

const metadataKeys = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,17}$/) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'a',
      'A',
      'customerId',
      'CUSTOMERID',
      'client-id',
      'id',
      'ID',
      'spf',
      '__proto__',
      'constructor',
      'tag',
    ),
  },
  fc.constantFrom("!#$%&'*+.^`|~", 'k'.repeat(20), 'k'.repeat(21), 'k'.repeat(200)),
  fc.constantFrom('a b', 'a:b', 'a\r\nBcc', 'a\0', 'é', '', 'a\u00a0', ' a', '\u212aey'),
)

const streams = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('outbound', 'news', 'a1-b_c', null, undefined) },
  fc.constantFrom<unknown>('inbound', 'pm-a', 'No', '', 'a b', 'a\r\nb', false, 7, {}),
)
const switches = fc.constantFrom<unknown>(
  true,
  false,
  'true',
  'False',
  ' TRUE ',
  null,
  undefined,
  1,
  'yes',
  {},
)
const choices = fc.constantFrom<unknown>(
  'None',
  'HtmlAndText',
  'htmlonly',
  ' TextOnly ',
  null,
  undefined,
  'All',
  true,
)
const names = fc.constantFrom<unknown>('HardBounce', 'Transient', null, undefined, 'Hard Bounce', 7)

const metadata = (values: fc.Arbitrary<unknown>) =>
  fc.array(fc.tuple(metadataKeys, values), { maxLength: 7 }).map((entries) => Object.fromEntries(entries))

const manyKeys = fc
  .integer({ min: 8, max: 13 })
  .map((count) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${i}`, i])))

const fields = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record(
      {
        messageStream: streams,
        tag: fc.oneof({ weight: 3, arbitrary: texts(60) }, texts(1000)),
        metadata: fc.oneof(
          { weight: 8, arbitrary: metadata(texts(80)) },
          manyKeys,
          fc.constantFrom(null, 'a', ['a']),
        ),
        trackOpens: switches,
        trackLinks: choices,
        keepId: switches,
        bounceType: names,
      },
      { requiredKeys: [] },
    ),
  },
  fc.constantFrom<unknown>(undefined, null, 'tag', ['tag'], 7, { tags: 'a' }),
)

/** Each letter large or small. */
const recased = (name: fc.Arbitrary<string>) =>
  fc.oneof(
    name,
    fc
      .tuple(name, fc.infiniteStream(fc.boolean()))
      .map(([text, large]) =>
        [...text]
          .map((letter) => (large.next().value ? letter.toUpperCase() : letter.toLowerCase()))
          .join(''),
      ),
  )

const prepared = (value: fc.Arbitrary<unknown>) =>
  fc.oneof(
    { weight: 4, arbitrary: value },
    value.map((each) => ({ prepared: true, value: each })),
    fc.array(value, { maxLength: 2 }),
  )

const { messageStream, tag, trackOpens, trackLinks, keepId, bounceType } = POSTMARK_FIELDS
const headers: fc.Arbitrary<Written> = fc.oneof(
  fc.record({ name: recased(fc.constant<string>(messageStream.header)), value: prepared(streams) }),
  fc.record({
    name: recased(fc.constant<string>(tag.header)),
    value: prepared(fc.oneof(texts(60), texts(1000))),
  }),
  fc.record({
    name: recased(fc.constantFrom<string>(trackOpens.header, keepId.header)),
    value: prepared(switches),
  }),
  fc.record({ name: recased(fc.constant<string>(trackLinks.header)), value: prepared(choices) }),
  fc.record({ name: recased(fc.constant<string>(bounceType.header)), value: prepared(names) }),
  {
    weight: 6,
    arbitrary: fc.record({
      name: metadataKeys.chain((key) =>
        recased(fc.constant(POSTMARK_FIELDS.metadata.header)).map((prefix) => prefix + key),
      ),
      value: prepared(texts(80)),
    }),
  },
  // Mistakes, names that Postmark keeps for itself, and names that are newer than the vocabulary.
  fc.record({
    name: recased(fc.constantFrom(...MISSPELLED_HEADERS.keys(), ...RESERVED_HEADERS)),
    value: fc.constantFrom('x', 'true', '{"a":1}'),
  }),
  fc.record({
    name: fc.constantFrom('X-PM-New', 'X-PM-newer', 'x-pm-NEWEST'),
    value: fc.constantFrom('x', 'a\r\nBcc: b@example.com', 'a\0b', 'é', '"x"', 'y'.repeat(120), ['a', 'b']),
  }),
  // Names that Nodemailer cleans before it writes them.
  fc.record({
    name: fc.constantFrom(
      ' X-PM-Tag',
      'X-PM-Tag:',
      'X-PM-Tag\r\nBcc',
      'X-PM-\0Tag',
      'X -PM-Tag',
      'X-PM-Täg',
      '\u007fX-PM-KeepID',
    ),
    value: fc.constantFrom('x', 'true'),
  }),
  {
    weight: 3,
    arbitrary: fc.record({
      name: fc.constantFrom('X-Other-1', 'X-Other-2', 'X-Other-3'),
      value: fc.constantFrom('other', 'o'.repeat(60)),
    }),
  },
)

const shapes: fc.Arbitrary<Shape> = fc.record({
  mode: fc.constantFrom(...MODES),
  scope: fc.option(fields as fc.Arbitrary<Readonly<Record<string, unknown>>>, { nil: undefined, freq: 3 }),
  postmark: fields,
  form: fc.constantFrom('map', 'array', 'single'),
  headers: fc.array(headers, { maxLength: 5 }),
  raw: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
})

// ---- what an email must carry

/** What one level asks for: lower-case header name → name and text; null clears. */
type Asked = Map<string, { name: string; text: string | null; max: number; longKey: boolean }>

interface Level {
  readonly asked: Asked
  /** Something for which Postmark, or the wire, has no room. */
  fault: boolean
  badStream: boolean | undefined
  keyCount: number
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\0-\u001f\u007f-\u009f\u2028\u2029]+/g
const clean = (text: string) => text.toWellFormed().replace(CONTROL, ' ')
const isName = (name: string) =>
  name !== '' && [...name].every((letter) => letter > ' ' && letter <= '~' && letter !== ':')
const isText = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)

function ask(level: Level, header: string, value: unknown): void {
  if (value === undefined) return
  const lower = header.toLowerCase()
  const field = Object.values(POSTMARK_FIELDS).find((row) => row.header.toLowerCase() === lower)
  const key = field ? '' : header.slice(POSTMARK_FIELDS.metadata.header.length)
  const name = field ? field.header : POSTMARK_FIELDS.metadata.header + key
  const longKey = key.length > 20
  const max = field && 'maxLength' in field ? field.maxLength : 80
  const set = (text: string | null) => level.asked.set(lower, { name, text, max, longKey })
  if (field?.kind === 'stream') level.badStream = false
  if (value === null) {
    set(null)
  } else if (field?.kind === 'stream') {
    level.badStream = typeof value !== 'string' || !/^(?!pm-|inbound$)[a-z][a-z0-9_-]{0,29}$/.test(value)
    set(String(value))
  } else if (field?.kind === 'boolean' || field?.kind === 'flag') {
    const word = String(value).trim().toLowerCase()
    if ((typeof value !== 'boolean' && typeof value !== 'string') || !/^(true|false)$/.test(word))
      level.fault = true
    else set(field.kind === 'flag' && word === 'false' ? null : word)
  } else if (field?.kind === 'choice') {
    const word = field.values.find(
      (each) => typeof value === 'string' && each.toLowerCase() === value.trim().toLowerCase(),
    )
    if (word) set(word)
    else level.fault = true
  } else if (field?.kind === 'name') {
    if (typeof value === 'string' && /^[A-Za-z]+$/.test(value)) set(value)
    else level.fault = true
  } else if (!isText(value)) {
    level.fault = true
  } else {
    const text = clean(String(value))
    if (text !== String(value)) level.fault = true
    if (text.trim() === '') return
    set(text.trim())
    if (longKey || text.trim().length > max) level.fault = true
    if (!field) level.keyCount++
  }
}

const newLevel = (): Level => ({ asked: new Map(), fault: false, badStream: undefined, keyCount: 0 })

function askFields(given: unknown): Level & { clearsMetadata?: boolean } {
  const level: Level & { clearsMetadata?: boolean } = newLevel()
  if (given === undefined || given === null) return level
  if (typeof given !== 'object' || Array.isArray(given)) return { ...level, fault: true }
  for (const [field, value] of Object.entries(given)) {
    if (!Object.hasOwn(POSTMARK_FIELDS, field)) {
      if (value !== undefined) level.fault = true
    } else if (field !== 'metadata') {
      ask(level, POSTMARK_FIELDS[field as keyof PostmarkFields].header, value)
    } else if (value === null) level.clearsMetadata = true
    else if (typeof value !== 'object' || Array.isArray(value)) level.fault ||= value !== undefined
    else askMetadata(level, value as object)
  }
  if (level.keyCount > 10) level.fault = true
  return level
}

function askMetadata(level: Level, given: object): void {
  const seen = new Set<string>()
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (!isName(key) || seen.has(key.toLowerCase())) level.fault = true
    else {
      seen.add(key.toLowerCase())
      ask(level, POSTMARK_FIELDS.metadata.header + key, value)
    }
  }
}

interface AskedHeaders extends Level {
  /** Lines of names outside the vocabulary: a newer header, or a mistake. */
  readonly unknown: { name: string; text: string; wrong: boolean }[]
  readonly others: string[]
}

function askHeaders(written: readonly Written[]): AskedHeaders {
  const level: AskedHeaders = { ...newLevel(), unknown: [], others: [] }
  const wrongNames = [...MISSPELLED_HEADERS.keys(), ...RESERVED_HEADERS, POSTMARK_FIELDS.metadata.header].map(
    (name) => name.toLowerCase(),
  )
  const known = Object.values(POSTMARK_FIELDS).map(({ header }) => header.toLowerCase())
  const seen = new Set<string>()
  for (const { name, value: given } of written) {
    for (const each of [given].flat(Number.POSITIVE_INFINITY)) {
      const value = typeof each === 'object' && each !== null && 'value' in each ? each.value : each
      const lower = name.toLowerCase()
      if (name.startsWith('X-Other')) level.others.push(`${name}: ${value}`)
      else if (value === undefined) continue
      else if (!isName(name)) level.fault = true
      else if (wrongNames.includes(lower)) {
        level.fault = true
        const text = isText(value) ? clean(String(value)).trim() : ''
        if (text !== '') level.unknown.push({ name, text, wrong: true })
      } else if (!known.includes(lower) && !lower.startsWith(POSTMARK_FIELDS.metadata.header.toLowerCase())) {
        level.unknown.push({ name, text: clean(String(value)), wrong: false })
        if (clean(String(value)) !== value) level.fault = true
      } else if (seen.has(lower)) level.fault = true
      else {
        seen.add(lower)
        ask(level, name, value)
      }
    }
  }
  if (level.keyCount > 10) level.fault = true
  return level
}

// ---- what an email does carry

interface Line {
  readonly name: string
  readonly value: string
}

/** Reads a header block as RFC 5322 has it, and throws at every byte that is not so. */
function readBlock(message: Buffer): Line[] {
  const end = message.indexOf('\r\n\r\n')
  expect(end).toBeGreaterThan(0)
  const lines: Line[] = []
  for (const line of message.toString('latin1', 0, end).split('\r\n')) {
    if (!/^[\t -~]*$/.test(line) || line.trim() === '')
      throw new Error(`no header line: ${JSON.stringify(line)}`)
    const last = lines.at(-1)
    const header = /^([!-9;-~]+):(.*)$/.exec(line)
    if (/^[ \t]/.test(line) && last) lines[lines.length - 1] = { ...last, value: last.value + line }
    else if (header) lines.push({ name: header[1]!, value: header[2]! })
    else throw new Error(`no header line: ${JSON.stringify(line)}`)
  }
  return lines.map(({ name, value }) => ({ name, value: value.trim() }))
}

/** RFC 2047: white space between two encoded words goes, each word holds whole characters. */
function decodeWords(value: string): string {
  return value
    .replace(/(=\?[^?]+\?[BQ]\?[^?]*\?=)\s+(?==\?[^?]+\?[BQ]\?[^?]*\?=)/gi, '$1')
    .replace(/=\?UTF-8\?([BQ])\?([^?]*)\?=/gi, (_word, kind: string, text: string) => {
      const bytes =
        kind.toUpperCase() === 'B'
          ? Buffer.from(text, 'base64')
          : Buffer.from(
              text
                .replaceAll('_', ' ')
                .replace(/=([0-9A-F]{2})/gi, (_hex, code: string) =>
                  String.fromCharCode(Number.parseInt(code, 16)),
                ),
              'latin1',
            )
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    })
}

/** Plain text must stand as it is, on a line that RFC 5322 allows; all else may be encoded. */
function carries(name: string, value: string, text: string): boolean {
  if (/^[ -~]*$/.test(text) && `${name}: ${text}`.length <= 998) return value === text
  return value === text || decodeWords(value) === text
}

// ---- the two compared

function check(shape: Shape, sent: readonly Line[]): void {
  const { mode } = shape
  const [scope, postmark, own] = [
    askFields(shape.scope),
    askFields(shape.postmark),
    askHeaders(writtenOf(shape)),
  ]
  const levels = [scope, postmark, own]
  const wanted: Asked = new Map()
  const rank = new Map<string, number>()
  levels.forEach((level, index) => {
    if ('clearsMetadata' in level && level.clearsMetadata) {
      for (const lower of [...wanted.keys()]) if (isMetadata(lower)) wanted.delete(lower)
    }
    for (const [lower, asked] of level.asked) {
      const fitted = level === scope || mode === 'fit'
      if (fitted && asked.longKey && asked.text !== null) continue
      wanted.set(lower, { ...asked, max: fitted ? asked.max : Number.POSITIVE_INFINITY })
      rank.set(lower, index)
    }
  })
  for (const [lower, { text }] of wanted) if (text === null) wanted.delete(lower)

  const mine = sent.filter(({ name }) => /^x-pm-/i.test(name))
  const unknown = own.unknown.filter(({ wrong }) => !wrong || mode === 'warn')
  const fieldLines = mine.filter(({ name }) => !own.unknown.some((header) => header.name === name))
  for (const { name, value } of fieldLines) {
    const asked = wanted.get(name.toLowerCase())
    if (!asked?.text) throw new Error(`nobody asked for ${name}: ${value}`)
    expect(name).toBe(asked.name)
    const { text, max } = asked
    if (text.length <= max) {
      if (!carries(name, value, text)) expect.unreachable(`${name}: ${value} is not ${JSON.stringify(text)}`)
    } else {
      // Shortened by whole characters: no emoji of the generator is 40 units long.
      const decoded = text.startsWith(value) ? value : decodeWords(value)
      expect(text.startsWith(decoded)).toBe(true)
      expect(decoded.length).toBeLessThanOrEqual(max)
      expect(decoded.length).toBeGreaterThan(text.slice(0, max).trimEnd().length - 40)
      expect(carries(name, value, decoded)).toBe(true)
    }
  }
  const names = fieldLines.map(({ name }) => name.toLowerCase())
  expect(names.length).toBe(new Set(names).size)

  const metadata = [...wanted.keys()].filter(isMetadata)
  const kept = metadata.filter((lower) => names.includes(lower))
  const lost = [...wanted.keys()].filter((lower) => !names.includes(lower))
  if (metadata.length <= 10) expect(lost).toEqual([])
  else {
    const spare = (lower: string) => mode === 'fit' || rank.get(lower) === 0
    expect(lost.filter((lower) => !isMetadata(lower) || !spare(lower))).toEqual([])
    expect(kept.length).toBe(Math.max(10, metadata.filter((lower) => !spare(lower)).length))
    const nearestLost = Math.max(...lost.map((lower) => rank.get(lower)!))
    expect(kept.filter((lower) => spare(lower) && rank.get(lower)! < nearestLost)).toEqual([])
  }

  // Of two spellings of a name that nobody knows, either may stand on both lines.
  const unknownLines = mine.filter(({ name }) => own.unknown.some((header) => header.name === name))
  // A value of printable ASCII goes out as it is, also one that reads as an encoded word.
  const asked = new Set(unknown.map(({ text }) => text))
  const read = (value: string) => (asked.has(value) ? value : decodeWords(value))
  expect(unknownLines.map(({ name, value }) => `${name.toLowerCase()}: ${read(value)}`).sort()).toEqual(
    unknown.map(({ name, text }) => `${name.toLowerCase()}: ${text}`).sort(),
  )
  const others = sent
    .filter(({ name }) => name.startsWith('X-Other'))
    .map(({ name, value }) => `${name}: ${value}`)
  if (!shape.raw) expect(others.sort()).toEqual(own.others.sort())
  expect(sent.filter(({ name }) => /^(bcc|to)$/i.test(name))).toEqual([
    { name: 'To', value: 'b@example.com' },
  ])
}

const isMetadata = (lower: string) => lower.startsWith(POSTMARK_FIELDS.metadata.header.toLowerCase())

/** Whether the email must be refused. */
function isRefused(shape: Shape): boolean {
  const [scope, postmark, own] = [
    askFields(shape.scope),
    askFields(shape.postmark),
    askHeaders(writtenOf(shape)),
  ]
  const nearest = [own, postmark, scope].find(({ badStream }) => badStream !== undefined)
  if (nearest?.badStream) return true
  if (shape.mode !== 'throw') return false
  if (postmark.fault || own.fault || postmark.badStream) return true
  const together = new Map([...postmark.asked, ...own.asked])
  return [...together].filter(([lower, { text }]) => isMetadata(lower) && text !== null).length > 10
}

/** The headers that remain in the shape: a map has each name once, and a single pair is one. */
function writtenOf({ form, headers }: Shape): readonly Written[] {
  if (form === 'single') return headers.slice(0, 1)
  return form === 'array' ? headers : Object.entries(toMap(headers)).map(([name, value]) => ({ name, value }))
}

const toMap = (headers: readonly Written[]) =>
  Object.fromEntries(headers.map(({ name, value }) => [name, value]))

function toMessage(shape: Shape): object {
  const written = writtenOf(shape)
  const pairs = written.map(({ name, value }) => ({ key: name, value }))
  return {
    ...(shape.raw
      ? {
          raw: 'From: a@example.com\r\nTo: b@example.com\r\nSubject: s\r\n\r\nHello',
          envelope: { to: 'b@example.com' },
        }
      : { from: 'a@example.com', to: 'b@example.com', subject: 's', text: 'Hello' }),
    postmark: shape.postmark,
    headers: shape.form === 'map' ? toMap(written) : shape.form === 'array' ? pairs : pairs[0],
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(deepFreeze)
  }
  return value
}

it('writes every field and header of every shape as asked for, or refuses the email', async () => {
  const transporters = Object.fromEntries(
    MODES.map((preflight) => [
      preflight,
      attachPostmark(createTransport({ streamTransport: true, buffer: true, newline: 'windows' }), {
        preflight,
      }),
    ]),
  )
  const outcomes = { refused: 0, sent: 0 }
  await fc.assert(
    fc.asyncProperty(shapes, async (shape) => {
      const message = deepFreeze(toMessage(shape))
      const send = () => transporters[shape.mode]!.sendMail(message)
      const sent =
        shape.scope === undefined ? send() : runWithPostmark(deepFreeze(shape.scope) as PostmarkFields, send)
      const [info, error] = await sent.then(
        (info) => [info, undefined] as const,
        (error: unknown) => [undefined, error] as const,
      )
      if (isRefused(shape)) {
        expect(isPostmarkError(error) && error.code).toBe('ERR_POSTMARK_PREFLIGHT')
        outcomes.refused++
      } else {
        if (error !== undefined) throw error
        check(shape, readBlock(info?.message as Buffer))
        outcomes.sent++
      }
    }),
    // The same shapes each time, these among them: a fault is either there or not.
    { numRuns: RUNS, seed: -29979278 },
  )
  // Both ends are met often: a model that refuses all, or sends all, would prove little.
  expect(outcomes.refused).toBeGreaterThan(RUNS / 10)
  expect(outcomes.sent).toBeGreaterThan(RUNS / 4)
})
