import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ParsedPostmarkFields, PostmarkFields } from '../vocabulary/vocabulary.js'
import { POSTMARK_FIELDS } from '../vocabulary/vocabulary.js'
import { fitFields } from './fit-fields.js'
import { fromHeaderEntries, toHeaderEntries } from './header-entries.js'
import { mergeFields } from './merge-fields.js'
import { parseFields } from './parse-fields.js'

const NAME_CHARACTERS = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).filter(
  (character) => character !== ':',
)

const keys = (maxLength: number) =>
  fc.oneof(
    fc.string({ unit: fc.constantFrom(...NAME_CHARACTERS), minLength: 1, maxLength }),
    // Few letters, so that keys meet that differ by case alone, and words that objects know.
    fc.string({ unit: fc.constantFrom('a', 'A', 'b'), minLength: 1, maxLength: 2 }),
    fc.constantFrom('__proto__', 'constructor', 'key', 'value'),
  )

const texts = (maxLength: number) =>
  fc
    .oneof(fc.string({ maxLength }), fc.string({ unit: 'grapheme', maxLength }))
    .filter((text) => text.length <= maxLength)

const streams = fc
  .stringMatching(/^[a-z][a-z0-9_-]{0,29}$/)
  .filter((id) => id !== 'inbound' && !id.startsWith('pm-'))

/** Each field may be absent, null, or there. */
const record = (tag: fc.Arbitrary<unknown>, metadata: fc.Arbitrary<unknown>) =>
  fc.record(
    {
      messageStream: fc.option(streams),
      tag: fc.option(tag),
      metadata: fc.option(metadata),
      trackOpens: fc.option(fc.boolean()),
      trackLinks: fc.option(fc.constantFrom(...POSTMARK_FIELDS.trackLinks.values)),
      keepId: fc.option(fc.boolean()),
      bounceType: fc.option(fc.stringMatching(/^[A-Za-z]{1,50}$/)),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<PostmarkFields>

const metadata = (value: fc.Arbitrary<unknown>, maxKeyLength: number, maxKeys: number) =>
  fc
    .uniqueArray(fc.tuple(keys(maxKeyLength), value), {
      maxLength: maxKeys,
      selector: ([key]) => key.toLowerCase(),
    })
    .map((entries) => Object.fromEntries(entries))

const scalar = (maxLength: number) =>
  fc.oneof(texts(maxLength), fc.integer(), fc.boolean(), fc.constantFrom(0, -0, 1.5, null, undefined))

/** Fields within every limit; what is wrong with a random text of it is filtered out. */
const legal = record(texts(200), metadata(scalar(80), 20, 10)).filter((fields) => !throws(fields))
const parsed: fc.Arbitrary<ParsedPostmarkFields> = legal.map(parseFields)

/** Fields that break limits: too long, too many, of a wrong kind, with control characters. */
const unfit = record(
  fc.oneof(
    texts(1400),
    fc.string({
      unit: fc.constantFrom('a', '👨‍👩‍👧‍👦', 'e\u0301', '🇨🇭', ' '),
      minLength: 900,
      maxLength: 1100,
    }),
    fc.anything(),
  ),
  fc.oneof(
    metadata(fc.oneof(texts(120), fc.string({ unit: 'binary' }), fc.anything()), 30, 16),
    fc.dictionary(fc.string({ unit: 'binary' }), fc.anything()),
    fc.anything(),
  ),
)

function throws(fields: unknown): boolean {
  try {
    parseFields(fields)
    return false
  } catch {
    return true
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze)
  return value
}

/** What has a header line: no null, no metadata without a key. */
function withoutNulls(fields: ParsedPostmarkFields): ParsedPostmarkFields {
  const { metadata, ...rest } = fields
  const kept = Object.entries(metadata ?? {}).filter(([, value]) => value !== null)
  return Object.fromEntries([
    ...Object.entries(rest).filter(([, value]) => value !== null),
    ...(kept.length > 0 ? [['metadata', Object.fromEntries(kept)] as const] : []),
  ])
}

it('reads from header lines what it wrote to them', () => {
  fc.assert(
    fc.property(parsed, (fields) => {
      expect(fromHeaderEntries(toHeaderEntries(fields))).toStrictEqual(withoutNulls(fields))
    }),
  )
})

it('reads the same whatever the case and the order of the lines', () => {
  fc.assert(
    fc.property(parsed, fc.func(fc.integer()), (fields, rank) => {
      const shuffled = toHeaderEntries(fields)
        .map(({ key, value }) => ({ key: key.toUpperCase(), value }))
        .sort((a, b) => rank(a.key) - rank(b.key))
      const upper = Object.entries(fields.metadata ?? {}).map(([key, value]) => [key.toUpperCase(), value])
      const expected = fields.metadata ? { ...fields, metadata: Object.fromEntries(upper) } : fields
      expect(fromHeaderEntries(shuffled)).toEqual(withoutNulls(expected))
    }),
  )
})

it('reads any header lines without throwing, and what it read is legal apart from lengths', () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(...Object.values(POSTMARK_FIELDS).map(({ header }) => header)),
    fc.string().map((key) => POSTMARK_FIELDS.metadata.header + key),
  )
  const lines = fc.array(fc.record({ key: name, value: fc.string({ unit: 'binary' }) }), { maxLength: 12 })
  fc.assert(
    fc.property(lines, (entries) => {
      const fields = fromHeaderEntries(entries)
      expect(Object.keys(POSTMARK_FIELDS)).toEqual(expect.arrayContaining(Object.keys(fields)))
      for (const value of Object.values(fields.metadata ?? {})) expect(value).toEqual(expect.any(String))
    }),
  )
})

it('parses what it parsed to the same', () => {
  fc.assert(
    fc.property(parsed, (fields) => {
      expect(parseFields(fields)).toStrictEqual(fields)
    }),
  )
})

it('merges as a left fold', () => {
  fc.assert(
    fc.property(fc.array(parsed, { minLength: 1, maxLength: 5 }), (levels) => {
      const folded = levels.reduce((outer, inner) => mergeFields(outer, inner))
      expect(mergeFields(...levels)).toEqual(mergeFields(folded))
    }),
  )
})

it('merges nothing with fields to the fields, on either side', () => {
  fc.assert(
    fc.property(parsed, (fields) => {
      const alone = withoutNulls(fields)
      expect(mergeFields(fields)).toStrictEqual(alone)
      expect(mergeFields({}, fields)).toStrictEqual(alone)
      expect(mergeFields(fields, {})).toStrictEqual(alone)
      expect(mergeFields(fields, fields)).toStrictEqual(alone)
    }),
  )
})

it('takes each merged value from the nearest level that names it', () => {
  fc.assert(
    fc.property(fc.array(parsed, { maxLength: 5 }), (levels) => {
      const merged = mergeFields<ParsedPostmarkFields>(...levels)
      for (const field of Object.keys(POSTMARK_FIELDS) as (keyof ParsedPostmarkFields)[]) {
        if (field === 'metadata') continue
        const nearest = levels.findLast((level) => level[field] !== undefined)?.[field] ?? undefined
        expect(merged[field]).toEqual(nearest)
      }
      const named = (level: ParsedPostmarkFields, lower: string) =>
        Object.entries(level.metadata ?? {}).find(([key]) => key.toLowerCase() === lower)
      const known = levels.flatMap((level) =>
        Object.keys(level.metadata ?? {}).map((key) => key.toLowerCase()),
      )
      const sent: string[] = []
      for (const lower of new Set(known)) {
        const nearest = levels.findLast((level) => level.metadata === null || named(level, lower))
        const [key, value] = (nearest && named(nearest, lower)) ?? ['', null]
        if (value === null) continue
        sent.push(key)
        expect(Object.entries(merged.metadata ?? {})).toContainEqual([key, value])
      }
      expect(Object.keys(merged.metadata ?? {}).sort()).toEqual(sent.sort())
    }),
  )
})

it('never writes into what it is given', () => {
  fc.assert(
    fc.property(unfit, unfit, parsed, (a, b, c) => {
      // A write into a frozen object throws.
      deepFreeze([a, b, c])
      mergeFields<PostmarkFields>(a, b, c)
      fitFields(a)
      toHeaderEntries(c)
    }),
  )
})

it('fits any fields to what Postmark takes', () => {
  fc.assert(
    fc.property(unfit, (fields) => {
      const { fields: fitted, warnings } = fitFields(fields)
      expect(parseFields(fitted)).toStrictEqual(fitted)
      expect(warnings.every(({ severity }) => severity === 'warning')).toBe(true)
      expect(fitFields(fitted).fields).toStrictEqual(fitted)
      if (!throws(fields)) expect(fitted).toStrictEqual(parseFields(fields))
      else expect(warnings).not.toEqual([])
    }),
    { numRuns: 400 },
  )
})

it('shortens a text to the longest beginning of whole characters', () => {
  const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })
  const character = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    fc.constantFrom('👨‍👩‍👧‍👦', '🏳️‍🌈', 'e\u0301\u0323', '🇨🇭', '각', '👍🏽', ' '),
  )
  const long = fc
    .array(character, { minLength: 81, maxLength: 120 })
    .map((characters) => characters.join('').trim())
    .filter((text) => text.length > 80 && !throws({ tag: text }))
  fc.assert(
    fc.property(long, (text) => {
      const fitted = fitFields({ metadata: { text } }).fields.metadata?.text ?? ''
      const whole = [...graphemes.segment(text)].map(({ segment }) => segment)
      const count = [...graphemes.segment(fitted)].length
      expect(fitted.isWellFormed()).toBe(true)
      expect(fitted).toBe(whole.slice(0, count).join(''))
      expect(fitted).toBe(fitted.trim())
      const dropped = text.slice(fitted.length)
      const spaces = dropped.length - dropped.trimStart().length
      const next = [...graphemes.segment(dropped.trimStart())][0]?.segment ?? ''
      expect(fitted.length + spaces + next.length).toBeGreaterThan(80)
    }),
  )
})
