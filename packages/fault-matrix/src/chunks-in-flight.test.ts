import {
  type BatchMessage,
  createMemorySendOnce,
  createPostmarkTransport,
  deliveryOutcome,
  type PostmarkTransportOptions,
  sendBatch,
} from '@postmark-smtp/core'
import { createScriptedServer, installVirtualClock, type ScriptedServerOptions } from '@postmark-smtp/testing'
import { describe, expect, it } from 'vitest'

const LONG_MS = 3_600_000
/** Enough that the server has shown what it takes, and that more wait than may be out. */
const COUNT = 40
const BEFORE = 14

interface Trial extends Pick<ScriptedServerOptions, 'script'> {
  readonly how: 'sendMail' | 'sendBatch'
  readonly options?: Partial<Pick<PostmarkTransportOptions, 'pool' | 'sendOnce'>>
  readonly bytes?: number
  readonly isKeyed?: boolean
}

/** Sends emails over one connection; says what their senders were told, and what the server got and took. */
async function send({ how, options = {}, bytes = 10, isKeyed = false, script }: Trial) {
  using clock = installVirtualClock()
  const server = createScriptedServer(clock, { chunking: true, ...(script && { script }) })
  const transporter = createPostmarkTransport({
    serverToken: '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11',
    host: '127.0.0.1',
    allowPlaintext: true,
    getSocket: server.getSocket,
    ...options,
    pool: { maxConnections: 1, ...options.pool },
  })
  const outcomes: (string | undefined)[] = Array(COUNT).fill(undefined)
  const messages = outcomes.map(
    (_, index): BatchMessage & { readonly from: string; readonly to: string } => ({
      from: `m${index}@example.com`,
      to: 'a@example.com',
      subject: 'x',
      text: `${'x'.repeat(70)}\n`.repeat(Math.ceil(bytes / 71)),
      ...(isKeyed && { idempotencyKey: `m${index}` }),
    }),
  )
  if (how === 'sendMail')
    for (const [index, message] of messages.entries())
      transporter.sendMail(message).then(
        () => {
          outcomes[index] = 'sent'
        },
        (error: unknown) => {
          outcomes[index] = deliveryOutcome(error)
        },
      )
  else
    void (async () => {
      for await (const { index, outcome } of sendBatch(transporter, messages, { allowTransactional: true }))
        outcomes[index] = outcome
    })()
  await clock.advanceUntil(() => !outcomes.includes(undefined), LONG_MS)
  void transporter.close()
  await clock.advance(10_000)
  const written = server.sessions.map(({ wire }) => Buffer.concat(wire.socket.written).toString('latin1'))
  return {
    outcomes,
    written,
    taken: server.taken.map(({ from }) => from),
    unknown: outcomes.filter((outcome) => outcome === 'unknown').length,
  }
}

/** The connection breaks in place of one reply, once the client has had the time to write what it may. */
const breaks: ScriptedServerOptions['script'] = ({ step, connection, mail }) =>
  step === 'bdat' && connection === 0 && mail === BEFORE
    ? { step, waitMs: 1000, say: 'nothing', next: 'reset' }
    : undefined

describe('a connection that breaks leaves in doubt as many emails', () => {
  it.each([
    ['4 of sendMail', 'sendMail', undefined, 4],
    ['10 of sendBatch', 'sendBatch', undefined, 10],
    ['6 of sendMail with pool.maxInFlight: 6', 'sendMail', 6, 6],
    ['6 of sendBatch with pool.maxInFlight: 6', 'sendBatch', 6, 6],
    ['10 of sendMail with pool.maxInFlight: 100', 'sendMail', 100, 10],
    ['1 of sendBatch with pool.maxInFlight: 1', 'sendBatch', 1, 1],
  ] as const)('%s, and sends all others once', async (_, how, maxInFlight, expected) => {
    const options = maxInFlight === undefined ? {} : { pool: { maxInFlight } }
    const script: ScriptedServerOptions['script'] = (context) =>
      maxInFlight === 1 && context.step === 'dot' && context.connection === 0 && context.mail === BEFORE
        ? { step: 'dot', say: 'nothing', next: 'reset' }
        : breaks(context)
    const { outcomes, unknown, taken } = await send({ how, options, script })
    expect(unknown).toBe(expected)
    expect(outcomes.filter((outcome) => outcome === 'sent')).toHaveLength(COUNT - expected)
    // One of those in doubt was taken; its reply was lost.
    expect(taken.length).toBe(new Set(taken).size)
    expect(taken.length).toBe(COUNT - expected + 1)
  })

  it('of 50 kB: 5, which are no more than 256 kB', async () => {
    const { unknown, outcomes } = await send({ how: 'sendBatch', bytes: 50_000, script: breaks })
    expect([unknown, outcomes.filter((outcome) => outcome === 'sent').length]).toEqual([5, COUNT - 5])
  })
})

it('an email whose claim runs out while others are in flight is not written, and they are', async () => {
  const store = createMemorySendOnce()
  store.renew = () => new Promise(() => {})
  const { outcomes, written, taken } = await send({
    how: 'sendMail',
    isKeyed: true,
    options: { sendOnce: { store, leaseMs: 10_000 } },
    script: ({ step, connection, mail }) =>
      step === 'bdat' && connection === 0 && mail === BEFORE ? { step, waitMs: 9500 } : undefined,
  })
  const through = BEFORE + 4
  const expected = (index: number) => (index < through ? 'sent' : 'not-sent')
  expect(outcomes).toEqual(outcomes.map((_, index) => expected(index)))
  expect(taken).toHaveLength(through)
  expect(written.join('')).not.toContain(`MAIL FROM:<m${through}@`)
})
