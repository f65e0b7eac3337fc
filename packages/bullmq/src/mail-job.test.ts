import { Readable } from 'node:stream'
import { runWithPostmark } from '@postmark-smtp/core'
import { describe, expect, it } from 'vitest'
import { toMailJob } from './index.js'
import { fromMailJob } from './mail-job.js'

const mail = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Receipt', text: 'Thank you' }
/** Through JSON, as Redis keeps it. */
const travel = (job: unknown) => fromMailJob(JSON.parse(JSON.stringify(job)))

describe('toMailJob', () => {
  it('keeps a message through JSON: Buffers, dates, headers, nested parts, and what looks like our own marks', () => {
    const message = {
      ...mail,
      to: [{ name: 'Ann', address: 'ann@example.com' }, 'bob@example.com'],
      date: new Date('2026-01-02T03:04:05.678Z'),
      attachments: [
        { filename: 'a.pdf', content: Buffer.from([0, 255, 1, 128]) },
        { filename: 'b.bin', content: new Uint8Array([1, 2, 3]) as Buffer },
      ],
      headers: [{ key: 'X-A', value: '1' }],
      postmark: { tag: 'receipt', metadata: { order: '7' } },
      custom: { $: 'base64', data: 'no buffer', ['__proto__']: 'own' },
      left: undefined,
    }
    const { left: _left, ...kept } = message
    const read = travel(toMailJob(message))?.message as typeof message & { idempotencyKey: string }
    expect(read).toEqual({
      ...kept,
      attachments: [message.attachments[0], { filename: 'b.bin', content: Buffer.from([1, 2, 3]) }],
      idempotencyKey: expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    expect(Object.getPrototypeOf(read.custom)).toBe(Object.prototype)
  })

  it('takes the key of the call, that of the message, or a random one', () => {
    const keyed = { ...mail, idempotencyKey: 'b' }
    expect(toMailJob(keyed, { idempotencyKey: 'a' }).idempotencyKey).toBe('a')
    expect(toMailJob(keyed).idempotencyKey).toBe('b')
    expect(toMailJob(mail).idempotencyKey).not.toBe(toMailJob(mail).idempotencyKey)
  })

  it('carries the fields of the scope, and the trace context of the caller', () => {
    const job = runWithPostmark({ tag: 'signup', metadata: { tenant: '7' } }, () =>
      toMailJob(mail, { injectTrace: (carrier) => Object.assign(carrier, { traceparent: '00-a-b-01' }) }),
    )
    expect(travel(job)).toMatchObject({
      scope: { tag: 'signup', metadata: { tenant: '7' } },
      trace: { traceparent: '00-a-b-01' },
    })
    expect(toMailJob(mail)).not.toHaveProperty('scope')
  })

  it('gives the email a correlation ID that all attempts share, unless it has one', () => {
    const { scope } = toMailJob(mail, { correlationId: true })
    expect(scope?.metadata).toEqual({ 'correlation-id': expect.stringMatching(/^[0-9a-f-]{36}$/) })
    const own = runWithPostmark({ metadata: { 'Correlation-ID': 'mine' } }, () =>
      toMailJob(mail, { correlationId: true }),
    )
    expect(own.scope?.metadata).toEqual({ 'Correlation-ID': 'mine' })
    const named = toMailJob(mail, { correlationId: { key: 'request' } })
    expect(Object.keys(named.scope?.metadata ?? {})).toEqual(['request'])
    const ofMessage = { ...mail, postmark: { metadata: { request: 'mine' } } }
    expect(toMailJob(ofMessage, { correlationId: { key: 'request' } })).not.toHaveProperty('scope')
  })

  const loop: Record<string, unknown> = {}
  loop.self = loop
  it.each<[string, object, string]>([
    [
      'a Readable',
      { attachments: [{ content: Readable.from('a') }] },
      'message.attachments[0].content is a stream',
    ],
    ['a web stream', { html: new Blob(['a']).stream() }, 'message.html is a stream'],
    ['a function', { headers: { a: () => '1' } }, 'message.headers.a is a function'],
    ['a symbol', { text: Symbol('a') }, 'message.text is a symbol'],
    ['a bigint', { custom: 1n }, 'message.custom is a bigint'],
    ['a number that is none', { custom: [Number.NaN] }, 'message.custom[0] is NaN'],
    ['an invalid date', { date: new Date('x') }, 'message.date is an instance of Date'],
    ['a signal', { signal: AbortSignal.timeout(1) }, 'message.signal is an AbortSignal'],
    ['a Map', { headers: new Map() }, 'message.headers is an instance of Map'],
    [
      'a URL',
      { attachments: [{ path: new URL('https://example.com/') }] },
      'message.attachments[0].path is a URL object',
    ],
    ['a circle', { custom: loop }, 'message.custom.self contains itself'],
  ])('refuses %s, with its place and a cure', (_what, more, text) => {
    expect(() => toMailJob({ ...mail, ...more })).toThrow(
      expect.objectContaining({
        code: 'ERR_POSTMARK_JOB',
        message: expect.stringContaining(`${text} (expected: a value that JSON can hold). `),
        problems: [expect.objectContaining({ cure: expect.stringMatching(/\.$/) })],
      }),
    )
  })

  it('names everything that does not survive JSON at once', () => {
    const message = { ...mail, text: Symbol('a') as never, html: Readable.from('a') }
    expect(() => toMailJob(message)).toThrow(
      expect.objectContaining({
        problems: [
          expect.objectContaining({ path: 'message.text' }),
          expect.objectContaining({ path: 'message.html' }),
        ],
      }),
    )
  })

  it('takes the same object twice, which is no circle', () => {
    const ann = { name: 'Ann', address: 'ann@example.com' }
    expect(travel(toMailJob({ ...mail, to: [ann], cc: [ann] }))?.message).toMatchObject({
      to: [ann],
      cc: [ann],
    })
  })

  it('refuses a job that is too large for Redis, and says how large it is', () => {
    const large = { ...mail, attachments: [{ content: Buffer.alloc(2_000_000) }] }
    expect(() => toMailJob(large)).toThrow(
      /message\.attachments makes a job of 2666\d{3} bytes \(expected: at most 2000000 bytes/,
    )
    expect(() => toMailJob(mail, { maxBytes: 10 })).toThrow(/message makes a job of \d+ bytes/)
    expect(toMailJob(large, { maxBytes: 3_000_000 }).version).toBe(1)
  })

  it.each<[object, string]>([
    [{ idempotencyKey: ' ' }, 'idempotencyKey is'],
    [{ idempotencyKey: 7 }, 'idempotencyKey is'],
    [{ deadlineMs: -1 }, 'deadlineMs is'],
    [{ maxBytes: 0 }, 'maxBytes is'],
    [{ correlationId: { key: '' } }, 'correlationId is'],
    [{ idempotenceKey: 'a' }, 'Did you mean "idempotencyKey"?'],
  ])('refuses the options %j', (options, text) => {
    expect(() => toMailJob(mail, options)).toThrow(text)
  })

  it.each([[undefined], [null], [{ to: 'ann' }], [{ ...toMailJob(mail), version: 2 }], ['text']])(
    'does not read %j as a job',
    (data) => {
      expect(fromMailJob(data)).toBeUndefined()
    },
  )
})
