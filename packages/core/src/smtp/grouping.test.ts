import { expect, it } from 'vitest'
import { Grouping, type GroupingSession } from './grouping.js'

function setUp() {
  const told: unknown[] = []
  const grouping = new Grouping((...event) => told.push(event))
  return { grouping, told }
}

const session = (server = '10.0.0.1:587', port = 587): GroupingSession => ({ server, port })

it('is tried by one session first, which may try again; the others may once a group was fully answered', () => {
  const { grouping, told } = setUp()
  const [first, second] = [session(), session()]
  expect(grouping.may(first)).toBe(true)
  expect(grouping.may(second)).toBe(false)
  expect(grouping.may(first)).toBe(true)
  grouping.answered(first)
  grouping.answered(second)
  expect(grouping.may(second)).toBe(true)
  expect(told).toEqual([['on', 587, 'a group was fully answered']])
})

it.each([
  ['another address', session('10.0.0.2:587')],
  ['another port', session('10.0.0.1:2525', 2525)],
])('is learned anew for %s', (_what, other) => {
  const { grouping, told } = setUp()
  const first = session()
  grouping.may(first)
  grouping.answered(first)
  const another = session(other.server, other.port)
  expect(grouping.may(other)).toBe(true)
  expect(grouping.may(another)).toBe(false)
  expect(grouping.may(session())).toBe(true)
  grouping.answered(other)
  expect(grouping.may(another)).toBe(true)
  expect(told).toHaveLength(2)
})

it('is off for the whole route at the first anomaly, also where it was on, and stays off', () => {
  const { grouping, told } = setUp()
  const [first, other] = [session(), session('10.0.0.2:587')]
  grouping.may(first)
  grouping.answered(first)
  grouping.may(other)
  grouping.refused(other, 'RSET was answered with 503')
  grouping.refused(other, 'again')
  grouping.answered(first)
  for (const each of [first, other, session()]) expect(grouping.may(each)).toBe(false)
  expect(told.slice(1)).toEqual([['off', 587, 'RSET was answered with 503']])
})

it('is tried by the next session where the first leaves', () => {
  const { grouping } = setUp()
  const [first, second] = [session(), session()]
  grouping.may(first)
  grouping.leave(second)
  expect(grouping.may(second)).toBe(false)
  grouping.leave(first)
  expect(grouping.may(second)).toBe(true)
  expect(grouping.may(first)).toBe(false)
})

it('is given up after three trials that broke off, and not for what broke off once it was known', () => {
  const { grouping, told } = setUp()
  for (let trial = 1; trial <= 3; trial++) {
    const each = session()
    expect(grouping.may(each)).toBe(true)
    grouping.brokeOff(session())
    grouping.brokeOff(each)
    grouping.brokeOff(each)
  }
  expect(grouping.may(session())).toBe(false)
  expect(told).toEqual([['off', 587, 'no group was fully answered']])

  const known = setUp()
  const first = session()
  known.grouping.may(first)
  known.grouping.answered(first)
  for (let times = 0; times < 5; times++) known.grouping.brokeOff(first)
  expect(known.grouping.may(first)).toBe(true)
})
