import { describe, expect, it } from 'vitest'
import { BatchPace } from './batch-pace.js'

describe('the pace of a batch', () => {
  it('lets one email go first, and all that fit after it', () => {
    const pace = new BatchPace(30, 1000)
    expect(pace.window).toBe(1)
    pace.onResult()
    expect(pace.window).toBe(30)
  })

  it('halves what is under way at a 4xx reply, once for those of one moment, and comes back one by one', () => {
    const pace = new BatchPace(30, 1000)
    pace.onResult()
    for (const now of [0, 10, 200]) pace.onDeferred(now)
    expect(pace.window).toBe(15)
    pace.onDeferred(300)
    expect(pace.window).toBe(7)
    for (let mail = 0; mail < 7; mail++) pace.onResult()
    expect(pace.window).toBe(8)
    for (let mail = 0; mail < 1_000; mail++) pace.onResult()
    expect(pace.window).toBe(30)
  })

  it('keeps one email under way, however long a storm lasts, also where the first email meets it', () => {
    const pace = new BatchPace(30, 1000)
    for (let now = 0; now < 10_000; now += 500) pace.onDeferred(now)
    pace.onResult()
    expect(pace.window).toBe(2)
  })

  it('spaces the emails by the rate, and makes up for a timer that was late, but not for a pause', () => {
    const pace = new BatchPace(30, 100)
    pace.onStart(0)
    expect(pace.waitMs(0)).toBe(0)
    pace.onStart(0)
    pace.onStart(0)
    expect(pace.waitMs(0)).toBe(10)
    pace.onStart(5_000)
    pace.onStart(5_000)
    pace.onStart(5_000)
    expect(pace.waitMs(5_000)).toBe(10)
  })
})
