import { expect, it } from 'vitest'
import { toEasternCeil, toEasternFloor } from './eastern-time.js'

it.each([
  ['in winter', '2026-01-31T17:00:00Z', '2026-01-31T12:00:00', '2026-01-31T12:00:00'],
  ['in summer', '2026-07-31T16:00:00Z', '2026-07-31T12:00:00', '2026-07-31T12:00:00'],
  ['at midnight', '2026-01-31T05:00:00Z', '2026-01-31T00:00:00', '2026-01-31T00:00:00'],
  ['over a day\u2019s end', '2026-01-01T04:59:59.001Z', '2025-12-31T23:59:59', '2026-01-01T00:00:00'],
  ['within a second', '2026-01-31T17:00:00.500Z', '2026-01-31T12:00:00', '2026-01-31T12:00:01'],
  [
    'before the hour that spring leaves out',
    '2026-03-08T06:59:59Z',
    '2026-03-08T01:59:59',
    '2026-03-08T01:59:59',
  ],
  [
    'after the hour that spring leaves out',
    '2026-03-08T07:00:00Z',
    '2026-03-08T03:00:00',
    '2026-03-08T03:00:00',
  ],
  ['before the hour that comes twice', '2026-11-01T04:59:59Z', '2026-11-01T00:59:59', '2026-11-01T00:59:59'],
  ['as that hour begins', '2026-11-01T05:00:00Z', '2026-11-01T00:59:59', '2026-11-01T01:00:00'],
  ['in that hour, the first time', '2026-11-01T05:30:00Z', '2026-11-01T00:59:59', '2026-11-01T01:30:00'],
  ['as that hour begins again', '2026-11-01T06:00:00Z', '2026-11-01T01:00:00', '2026-11-01T02:00:00'],
  ['in that hour, the second time', '2026-11-01T06:30:00Z', '2026-11-01T01:30:00', '2026-11-01T02:00:00'],
  ['after that hour', '2026-11-01T07:00:00Z', '2026-11-01T02:00:00', '2026-11-01T02:00:00'],
])('names an Eastern time not after, and one not before, an instant %s', (_when, instant, floor, ceil) => {
  const ms = Date.parse(instant)
  expect([toEasternFloor(ms), toEasternCeil(ms)]).toEqual([floor, ceil])
})
