import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createGuessBrake, type GuessBrake } from './guess-brake.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout'] }))
afterEach(() => void vi.useRealTimers())

const right = () => true
const wrong = () => false
const fail = async (brake: GuessBrake, address: string, times: number) => {
  for (let time = 0; time < times; time++) expect(await brake.check(address, wrong)).toBe('wrong')
}

it('looks at one guess after the other once five were wrong, and at none beyond ten that wait', async () => {
  const brake = createGuessBrake()
  await fail(brake, '192.0.2.1', 5)
  const looked: number[] = []
  const guesses = Array.from({ length: 12 }, (_, index) =>
    brake.check('192.0.2.1', () => {
      looked.push(index)
      return false
    }),
  )
  expect(await Promise.all(guesses.slice(10))).toEqual(['busy', 'busy'])
  expect(looked).toEqual([])
  for (let index = 0; index < 10; index++) {
    await vi.advanceTimersByTimeAsync(1000)
    expect(looked).toHaveLength(index + 1)
  }
  expect(looked).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

it('forgets the wrong ones after a right one, and counts each address for itself', async () => {
  const brake = createGuessBrake()
  await fail(brake, '192.0.2.1', 5)
  expect(await brake.check('192.0.2.2', right)).toBe('right')
  const late = brake.check('192.0.2.1', right)
  await vi.advanceTimersByTimeAsync(1000)
  expect(await late).toBe('right')
  await fail(brake, '192.0.2.1', 5)
})

it('remembers a thousand addresses', async () => {
  const brake = createGuessBrake()
  await fail(brake, 'first', 5)
  for (let address = 0; address < 999; address++) await fail(brake, String(address), 1)
  const held = brake.check('first', right)
  await vi.advanceTimersByTimeAsync(999)
  expect(await Promise.race([held, Promise.resolve('waits')])).toBe('waits')
  await fail(brake, 'one more', 1)
  expect(await brake.check('first', right)).toBe('right')
})
