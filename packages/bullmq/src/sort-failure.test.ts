import { PostmarkError } from '@postmark-smtp/core'
import { describe, expect, it } from 'vitest'
import { mailBackoff } from './index.js'
import { QueueBrake } from './queue-brake.js'
import { sortFailure } from './sort-failure.js'

const smtp = (fields: object) => Object.assign(new Error('Failed'), { phase: 'envelope', ...fields })

describe('sortFailure', () => {
  it.each<[string, object, string]>([
    ['550 to RCPT', { outcome: 'rejected', responseCode: 550, command: 'RCPT TO' }, 'fail'],
    ['450 to RCPT', { outcome: 'deferred', responseCode: 450, command: 'RCPT TO' }, 'retry'],
    ['451 to DATA', { outcome: 'deferred', responseCode: 451, command: 'DATA' }, 'retry'],
    [
      '451 after the body',
      { outcome: 'deferred', responseCode: 451, phase: 'final', command: 'DATA' },
      'retry',
    ],
    ['452 to MAIL', { outcome: 'deferred', responseCode: 452, command: 'MAIL FROM' }, 'slow'],
    ['421 to RCPT', { outcome: 'deferred', responseCode: 421, command: 'RCPT TO' }, 'slow'],
    ['421 at the greeting', { outcome: 'deferred', responseCode: 421, phase: 'connect' }, 'slow'],
    ['454 at the login', { outcome: 'deferred', code: 'EAUTH', responseCode: 454, phase: 'login' }, 'slow'],
    ['a lost connection', { outcome: 'not-sent', code: 'ECONNECTION' }, 'retry'],
    ['a lost reply', { outcome: 'unknown', code: 'ECONNECTION', phase: 'final' }, 'unknown'],
    [
      'a refused login',
      { outcome: 'not-sent', code: 'EAUTH', explanation: 'login-refused', phase: 'login' },
      'pause',
    ],
    [
      'an untrusted certificate',
      { outcome: 'not-sent', code: 'ETLS', explanation: 'certificate', phase: 'tls' },
      'pause',
    ],
    [
      'a name that is not found',
      { outcome: 'not-sent', code: 'EDNS', explanation: 'host-not-found' },
      'retry',
    ],
    ['an error of a plugin', {}, 'retry'],
  ])('sorts %s', (_what, fields, kind) => {
    expect(sortFailure(smtp(fields)).kind).toBe(kind)
  })

  it.each<[ConstructorParameters<typeof PostmarkError>[0], object, object]>([
    ['ERR_POSTMARK_PREFLIGHT', {}, { kind: 'fail' }],
    ['ERR_POSTMARK_SUPPRESSED', {}, { kind: 'fail' }],
    ['ERR_POSTMARK_CLOSED', {}, { kind: 'give-back' }],
    ['ERR_POSTMARK_QUEUE_FULL', {}, { kind: 'wait', ms: 1_000 }],
    ['ERR_POSTMARK_CREDENTIALS', {}, { kind: 'pause' }],
    ['ERR_POSTMARK_ONCE_HELD', { outcome: 'not-sent', forMs: 700 }, { kind: 'wait', ms: 700 }],
    ['ERR_POSTMARK_ONCE_HELD', { outcome: 'not-sent', forMs: 0 }, { kind: 'wait', ms: 250 }],
    [
      'ERR_POSTMARK_ONCE_UNKNOWN',
      { outcome: 'unknown', sinceMs: 7, reference: 'r' },
      { kind: 'unknown', sinceMs: 7, reference: 'r' },
    ],
    ['ERR_POSTMARK_ONCE_CONFLICT', { outcome: 'not-sent' }, { kind: 'fail' }],
    ['ERR_POSTMARK_ONCE_STORE', { outcome: 'not-sent' }, { kind: 'slow' }],
  ])('sorts %s with %j', (code, fields, verdict) => {
    expect(sortFailure(Object.assign(new PostmarkError(code, 'Failed'), fields))).toEqual(verdict)
  })
})

describe('mailBackoff', () => {
  it.each<[number, object | undefined, number]>([
    [1, { outcome: 'not-sent' }, 5_000],
    [2, { outcome: 'not-sent' }, 10_000],
    [1, { outcome: 'deferred' }, 30_000],
    [4, { outcome: 'deferred' }, 240_000],
    [20, { outcome: 'deferred' }, 3_600_000],
    [0, undefined, 5_000],
  ])('gives after %d attempts and %j between half of %d and all of it', (attempts, error, most) => {
    for (let n = 0; n < 50; n++) {
      const ms = mailBackoff(attempts, 'mail', error)
      expect(ms).toBeGreaterThanOrEqual(most / 2)
      expect(ms).toBeLessThanOrEqual(most)
    }
  })
})

describe('a queue that is slowed down', () => {
  it('rests once for jobs that fail together, and twice as long the next time', async () => {
    const rests: number[] = []
    let now = 1_000
    const queue = { rateLimit: async (ms: number) => rests.push(ms), pause: async () => {} }
    const brake = new QueueBrake(queue, 100, () => now)
    await brake.slow()
    now += 30
    await brake.slow()
    now += 70
    await brake.slow()
    brake.release()
    now += 200
    await brake.slow()
    expect(rests).toEqual([100, 70, 200, 100])
  })
})
