import { expect, it } from 'vitest'
import { installVirtualClock } from './virtual-clock.js'

it('fires timers in the order of their times, with what each sets off before the next', async () => {
  using clock = installVirtualClock()
  const log: string[] = []
  const note = (what: string) => log.push(`${what} at ${clock.nowMs}`)
  setTimeout(note, 20, 'second')
  setTimeout(async () => {
    note('first')
    await Promise.resolve()
    setTimeout(note, 5, 'between')
    process.nextTick(note, 'tick')
    setImmediate(note, 'immediate')
  }, 10)
  const ended = setTimeout(note, 12, 'never')
  clearTimeout(undefined)
  clearTimeout(ended)
  await clock.advance(30)
  expect(log).toEqual(['first at 10', 'tick at 10', 'immediate at 10', 'between at 15', 'second at 20'])
  expect(clock.nowMs).toBe(30)
})

it('repeats intervals, refreshes timers and fires at once what no timer can hold', async () => {
  using clock = installVirtualClock()
  const log: number[] = []
  const interval = setInterval(() => log.push(clock.nowMs), 100)
  const idle = setTimeout(() => log.push(-clock.nowMs), 150)
  setTimeout(() => log.push(0.1), 2 ** 31)
  await clock.advance(100)
  idle.refresh()
  await clock.advance(149)
  clearInterval(interval)
  idle.refresh()
  await clock.advance(1000)
  expect(log).toEqual([0.1, 100, 200, -399])
})

it('moves Date and performance.now(), and gives both back', async () => {
  const realNow = Date.now
  {
    using clock = installVirtualClock(1_000_000)
    const began = performance.now()
    await clock.advance(5000)
    expect([Date.now(), new Date().toISOString(), performance.now() - began]).toEqual([
      1_005_000,
      '1970-01-01T00:16:45.000Z',
      5000,
    ])
    expect(new Date(7).getTime()).toBe(7)
    expect(new Date()).toBeInstanceOf(Date)
  }
  expect(Date.now).toBe(realNow)
})

it('says what is pending, who made it, and whether it keeps the process alive', async () => {
  using clock = installVirtualClock()
  clock.schedule(10, () => {})
  setTimeout(() => {}, 30).unref()
  const [timer, ...others] = clock.pending()
  expect(timer).toMatchObject({ dueMs: 30, referenced: false })
  expect(timer?.stack).toContain('virtual-clock.test.ts')
  expect(others).toEqual([])
})

it('stops waiting where the condition is met, at the limit, and where nothing is left to wait for', async () => {
  using clock = installVirtualClock()
  let met = false
  setTimeout(() => {
    met = true
  }, 50)
  expect(await clock.advanceUntil(() => met, 20)).toBe(false)
  expect(await clock.advanceUntil(() => met, 1000)).toBe(true)
  expect(clock.nowMs).toBe(50)
  expect(await clock.advanceUntil(() => false, Number.POSITIVE_INFINITY)).toBe(false)
})
