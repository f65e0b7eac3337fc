import { expect, it } from 'vitest'
import { Chunking } from './chunking.js'
import type { GroupingSession } from './grouping.js'

function setUp() {
  const told: unknown[] = []
  const chunking = new Chunking((...event) => told.push(event))
  return { chunking, told }
}

const session = (server = '10.0.0.1:587', port = 587): GroupingSession => ({ server, port })

it('is learned in two steps, each by one session, and then serves all', () => {
  const { chunking, told } = setUp()
  const [first, second] = [session(), session()]
  expect([chunking.mayTry(first), chunking.mayProbe(first), chunking.mayProbe(second)]).toEqual([
    false,
    true,
    false,
  ])
  chunking.probed(first)
  expect([chunking.mayProbe(second), chunking.isOn(first)]).toEqual([false, false])
  expect([chunking.mayTry(second), chunking.mayTry(first)]).toEqual([true, false])
  chunking.answered(second)
  expect([chunking.isOn(first), chunking.isOn(second)]).toEqual([true, true])
  expect(told).toEqual([['on', 587, 'two consecutive emails were answered']])
})

it('is learned anew for another address, which may be another machine', () => {
  const { chunking } = setUp()
  const [first, other] = [session(), session('10.0.0.2:587')]
  chunking.mayProbe(first)
  chunking.probed(first)
  chunking.mayTry(first)
  chunking.answered(first)
  expect([chunking.isOn(other), chunking.mayTry(other), chunking.mayProbe(other)]).toEqual([
    false,
    false,
    true,
  ])
})

it('ends for the whole route at the first anomaly, and says why', () => {
  const { chunking, told } = setUp()
  const [first, other] = [session(), session('10.0.0.2:587')]
  chunking.mayProbe(first)
  chunking.probed(first)
  chunking.mayTry(first)
  chunking.answered(first)
  chunking.refused(other, 'BDAT was answered with 503')
  chunking.refused(first, 'another reason')
  expect([chunking.isOn(first), chunking.mayProbe(other)]).toEqual([false, false])
  expect(told.slice(1)).toEqual([['off', 587, 'BDAT was answered with 503']])
})

it('ends where three trials broke off, and counts no session that did not try', () => {
  const { chunking, told } = setUp()
  for (let trial = 0; trial < 3; trial++) {
    const trying = session()
    expect(chunking.mayProbe(trying)).toBe(true)
    chunking.brokeOff(session())
    chunking.brokeOff(trying)
  }
  expect(told).toEqual([['off', 587, 'no trial was fully answered']])
})
