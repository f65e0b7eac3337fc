import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Failure, smtpError } from '../problems/smtp-failure.js'
import { type AttemptFacts, decide, pauseAfter, type RetrySettings } from './retry.js'

const DEFAULTS: RetrySettings = { attempts: 10, deadlineMs: 180_000, baseMs: 1_000, unknown: false }

const failure = (
  retry: Failure['retry'],
  outcome: 'not-sent' | 'deferred' | 'unknown' | 'rejected' = 'not-sent',
): Failure => ({
  error: smtpError('Failed', { code: 'EANY', phase: 'envelope', outcome }),
  retry,
})

const facts = (given: Partial<AttemptFacts> = {}): AttemptFacts => ({
  attempts: 1,
  returns: 0,
  wasGreeted: true,
  spent: false,
  leftMs: 180_000,
  ...given,
})

afterEach(() => {
  vi.restoreAllMocks()
})

describe('what follows on a failure', () => {
  it('is the end where another attempt is no use', () => {
    expect(decide(failure('never', 'rejected'), facts(), DEFAULTS)).toEqual({ kind: 'end' })
    expect(decide(failure('never', 'unknown'), facts(), DEFAULTS)).toEqual({ kind: 'end' })
  })

  it('is another attempt after a pause', () => {
    expect(decide(failure('counted', 'deferred'), facts(), DEFAULTS).kind).toBe('pause')
    expect(decide(failure('counted'), facts({ attempts: 9 }), DEFAULTS).kind).toBe('pause')
    expect(decide(failure('counted'), facts({ attempts: 10 }), DEFAULTS)).toEqual({ kind: 'end' })
    expect(decide(failure('counted'), facts(), { ...DEFAULTS, attempts: 1 })).toEqual({ kind: 'end' })
  })

  it('is another attempt after an unknown outcome only where that is accepted', () => {
    const settings = { ...DEFAULTS, unknown: true }
    expect(decide(failure('never', 'unknown'), facts(), settings).kind).toBe('pause')
    expect(decide(failure('never', 'rejected'), facts(), settings)).toEqual({ kind: 'end' })
    expect(decide(failure('never', 'unknown'), facts({ spent: true }), settings).kind).toBe('end')
  })

  it('is a return at once, three times, and then an attempt that counts', () => {
    for (const returns of [0, 1, 2])
      expect(decide(failure('uncounted'), facts({ returns }), DEFAULTS)).toEqual({ kind: 'return' })
    expect(decide(failure('uncounted'), facts({ returns: 3 }), DEFAULTS).kind).toBe('pause')
    expect(decide(failure('uncounted'), facts({ returns: 3, attempts: 10 }), DEFAULTS)).toEqual({
      kind: 'end',
    })
  })

  it('is the end, with the reason, where the content can be read only once and was read', () => {
    for (const retry of ['counted', 'uncounted'] as const)
      expect(decide(failure(retry), facts({ spent: true }), DEFAULTS)).toEqual({
        kind: 'end',
        notRetried: expect.stringContaining('can be read only once'),
      })
  })

  it('is the end, with the reason, where the next attempt would begin after the deadline', () => {
    vi.spyOn(Math, 'random').mockReturnValue(1)
    expect(decide(failure('counted'), facts({ leftMs: 1_001 }), DEFAULTS)).toEqual({
      kind: 'pause',
      pauseMs: 1_000,
    })
    expect(decide(failure('counted'), facts({ leftMs: 1_000 }), DEFAULTS)).toEqual({
      kind: 'end',
      notRetried: 'The email was not retried: its limit of 180 s ends before the next attempt.',
    })
  })

  it('is the end after four attempts where no server has ever greeted', () => {
    expect(decide(failure('counted'), facts({ attempts: 3, wasGreeted: false }), DEFAULTS).kind).toBe('pause')
    expect(decide(failure('counted'), facts({ attempts: 4, wasGreeted: false }), DEFAULTS)).toEqual({
      kind: 'end',
    })
    const two = { ...DEFAULTS, attempts: 2 }
    expect(decide(failure('counted'), facts({ attempts: 2, wasGreeted: false }), two)).toEqual({
      kind: 'end',
    })
  })
})

describe('the pauses', () => {
  const spanOf = (random: number, attempts: number, baseMs: number) => {
    vi.spyOn(Math, 'random').mockReturnValue(random)
    return Array.from({ length: attempts - 1 }, (_, index) => pauseAfter(index + 1, baseMs)).reduce(
      (sum, pauseMs) => sum + pauseMs,
      0,
    )
  }

  it('double up to 30 s, and are shortened at random by up to a half', () => {
    vi.spyOn(Math, 'random').mockReturnValue(1)
    expect([1, 2, 3, 4, 5, 6, 7].map((failures) => pauseAfter(failures, 1_000))).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
    ])
    vi.spyOn(Math, 'random').mockReturnValue(0)
    expect(pauseAfter(3, 1_000)).toBe(2_000)
  })

  it('follow baseMs', () => {
    vi.spyOn(Math, 'random').mockReturnValue(1)
    expect([pauseAfter(1, 10), pauseAfter(2, 10), pauseAfter(1, 60_000)]).toEqual([10, 20, 30_000])
  })

  it('fill the deadline by default: all attempts together span between 60 and 180 s', () => {
    expect(spanOf(0, DEFAULTS.attempts, DEFAULTS.baseMs)).toBeGreaterThanOrEqual(60_000)
    expect(spanOf(1, DEFAULTS.attempts, DEFAULTS.baseMs)).toBeLessThanOrEqual(DEFAULTS.deadlineMs)
  })

  it('take a few seconds where no server has ever greeted', () => {
    expect(spanOf(0, 4, DEFAULTS.baseMs)).toBe(3_500)
    expect(spanOf(1, 4, DEFAULTS.baseMs)).toBe(7_000)
  })
})
