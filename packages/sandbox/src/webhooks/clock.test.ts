import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createClock } from './clock.js'

const MINUTE = 60_000

describe('createClock', () => {
  it('does not move past the year 9999, in one step or in several', async () => {
    const clock = createClock()
    const most = Date.UTC(9999, 11, 31) - Date.now()
    await clock.advance(most)
    await expect(clock.advance(2 * 24 * 60 * MINUTE)).rejects.toThrow('past the year 9999')
    await clock.advance(MINUTE)
    expect(clock.now().getUTCFullYear()).toBe(9999)
  })

  it('runs with the real time', async () => {
    const clock = createClock()
    const done = new Promise<void>((resolve) => void clock.schedule(5, resolve))
    // The clock's own timers do not keep a process alive; this one does.
    const first = await Promise.race([done.then(() => 'done'), wait(5_000, 'waited in vain', { ref: true })])
    expect(first).toBe('done')
    expect(Math.abs(clock.now().getTime() - Date.now())).toBeLessThan(1_000)
  })

  it('does what comes due on the way in the order of its time, at that time', async () => {
    const clock = createClock()
    const start = clock.now().getTime()
    const seen: string[] = []
    const note = (name: string) => () => {
      seen.push(`${name} ${Math.round((clock.now().getTime() - start) / MINUTE)}`)
    }
    clock.schedule(3 * MINUTE, note('third'))
    clock.schedule(MINUTE, note('first'))
    clock.schedule(MINUTE, note('second'))
    clock.schedule(9 * MINUTE, note('later'))
    await clock.advance(5 * MINUTE)
    expect(seen).toEqual(['first 1', 'second 1', 'third 3'])
    expect(clock.now().getTime() - start).toBeGreaterThanOrEqual(5 * MINUTE)
    await clock.advance(4 * MINUTE)
    expect(seen.at(-1)).toBe('later 9')
  })

  it('waits for what runs, and for what that schedules', async () => {
    const clock = createClock()
    const seen: string[] = []
    clock.schedule(0, async () => {
      await wait(5)
      seen.push('now')
      clock.schedule(MINUTE, () => void seen.push('a minute later'))
      clock.schedule(3 * MINUTE, () => void seen.push('too late'))
    })
    await clock.advance(2 * MINUTE)
    expect(seen).toEqual(['now', 'a minute later'])
  })

  it('counts no real time while it moves, so that what is due at its end is done', async () => {
    const clock = createClock()
    const seen: string[] = []
    clock.schedule(0, async () => {
      await wait(20)
      clock.schedule(MINUTE, async () => {
        await wait(20)
        clock.schedule(MINUTE, () => void seen.push('two minutes later'))
      })
    })
    await clock.advance(2 * MINUTE)
    expect(seen).toEqual(['two minutes later'])
  })

  it('adds up what is advanced at the same time', async () => {
    const clock = createClock()
    const start = clock.now().getTime()
    await Promise.all([clock.advance(MINUTE), clock.advance(MINUTE)])
    expect(clock.now().getTime() - start).toBeGreaterThanOrEqual(2 * MINUTE)
  })

  it('rejects with the error of a task, and runs on', async () => {
    const clock = createClock()
    const seen: string[] = []
    clock.schedule(1, () => Promise.reject(new Error('a fault of the task')))
    clock.schedule(2, () => void seen.push('next'))
    await expect(clock.advance(1)).rejects.toThrow('a fault of the task')
    const before = clock.now().getTime()
    await clock.advance(MINUTE)
    expect(seen).toEqual(['next'])
    expect(clock.now().getTime() - before).toBeGreaterThanOrEqual(MINUTE)
  })

  it('runs nothing that was cancelled, and nothing after it was closed', async () => {
    const clock = createClock()
    const seen: string[] = []
    const cancel = clock.schedule(1, () => void seen.push('cancelled'))
    clock.schedule(1, () => void seen.push('kept'))
    cancel()
    await clock.advance(1)
    clock.schedule(1, () => void seen.push('closed'))
    clock.close()
    clock.schedule(1, () => void seen.push('after the close'))
    await clock.advance(MINUTE)
    expect(seen).toEqual(['kept'])
  })

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses to advance by %s', async (ms) => {
    await expect(createClock().advance(ms)).rejects.toMatchObject({ code: 'ERR_POSTMARK_OPTIONS' })
  })
})
