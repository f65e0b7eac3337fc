import { expect, it } from 'vitest'
import { readEastern, toEastern } from './eastern-time.js'

const iso = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString())

it.each([
  ['a winter second', '2026-01-15T12:00:00', '2026-01-15T17:00:00.000Z', '2026-01-15T17:00:00.999Z'],
  ['a summer second', '2026-07-15T12:00:00', '2026-07-15T16:00:00.000Z', '2026-07-15T16:00:00.999Z'],
  ['a minute', '2026-07-15 12:00', '2026-07-15T16:00:00.000Z', '2026-07-15T16:00:59.999Z'],
  ['a day', '2026-07-15', '2026-07-15T04:00:00.000Z', '2026-07-16T03:59:59.999Z'],
  ['the short day in spring', '2026-03-08', '2026-03-08T05:00:00.000Z', '2026-03-09T03:59:59.999Z'],
  ['the long day in autumn', '2026-11-01', '2026-11-01T04:00:00.000Z', '2026-11-02T04:59:59.999Z'],
  [
    'the hour that there is twice',
    '2026-11-01T01:30:00',
    '2026-11-01T06:30:00.000Z',
    '2026-11-01T06:30:00.999Z',
  ],
  ['a time of its own zone', '2026-07-15T12:00:00Z', '2026-07-15T12:00:00.000Z', '2026-07-15T12:00:00.000Z'],
  [
    'a time with an offset',
    '2026-07-15T12:00:00+02:00',
    '2026-07-15T10:00:00.000Z',
    '2026-07-15T10:00:00.000Z',
  ],
])('reads %s', (_, text, first, last) => {
  expect([iso(readEastern(text)?.first), iso(readEastern(text)?.last)]).toEqual([first, last])
})

it.each(['', 'yesterday', '2026-13-01', '2026-02-01T25:00:00', '01/02/2026', '2026-07-15T12:00:00+99:99'])(
  'takes %j for no date',
  (text) => {
    expect(readEastern(text)).toBeUndefined()
  },
)

it.each([
  ['2026-01-15T17:00:00.123Z', '2026-01-15T12:00:00-05:00', '2026-01-15T12:00:00.1230000-05:00'],
  ['2026-07-15T03:00:00.000Z', '2026-07-14T23:00:00-04:00', '2026-07-14T23:00:00.0000000-04:00'],
])('writes %s with the offset of its season', (time, plain, precise) => {
  expect([toEastern(new Date(time)), toEastern(new Date(time), true)]).toEqual([plain, precise])
})
