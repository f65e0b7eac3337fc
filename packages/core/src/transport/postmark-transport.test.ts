import {
  createScriptedServer,
  installVirtualClock,
  type StepContext,
  type StepScript,
} from '@postmark-smtp/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deliveryOutcome } from '../problems/delivery-outcome.js'
import { createPostmarkTransport } from './create-transport.js'
import { PostmarkTransport } from './postmark-transport.js'
import { toTransportSettings } from './transport-settings.js'

let clock: ReturnType<typeof installVirtualClock>

beforeEach(() => {
  clock = installVirtualClock()
})

afterEach(() => {
  const pending = clock.pending()
  clock.uninstall()
  expect(pending).toEqual([])
})

function setUp({
  script = () => undefined,
  ...options
}: { script?: StepScript } & Record<string, unknown> = {}) {
  const server = createScriptedServer(clock, { script })
  const transport = new PostmarkTransport(
    toTransportSettings({
      serverToken: '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11',
      host: '127.0.0.1',
      allowPlaintext: true,
      getSocket: server.getSocket,
      ...options,
    }),
  )
  const results: (object | null)[] = []
  const send = (message: object = {}, data: object = {}) => {
    const composed = {
      content: 'Hello',
      childNodes: [],
      getEnvelope: () => ({ from: 'a@x.org', to: ['b@x.org'] }),
      messageId: () => '<a@x.org>',
      setHeader: () => {},
      buildHeaders: () => 'From: a@x.org\r\nSubject: x',
      build: (done: (error: null, built: Buffer) => void) =>
        done(null, Buffer.from('Subject: x\r\n\r\nHello\r\n')),
      ...message,
    }
    const fields = { from: 'a@x.org', to: 'b@x.org', subject: 'x', text: 'Hello', ...data }
    const mail = { data: fields, message: composed, resolveContent: () => {} }
    transport.send(mail as never, (error, info) => results.push(error ?? info ?? null))
  }
  const close = async () => {
    const closed = transport.close()
    await clock.advance(10_000)
    await closed
  }
  return { server, transport, results, send, close }
}

it.each<[string, () => unknown]>([
  ['an error', () => new TypeError('The envelope is broken')],
  ['an error that is frozen', () => Object.freeze(new TypeError('The envelope is broken'))],
  ['a value', () => 'The envelope is broken'],
])('reports not-sent where reading the composed message throws %s', async (_what, thrown) => {
  const { send, results, close } = setUp()
  let calls = 0
  send({
    messageId: () => {
      // It is looked at before, and all was well.
      if (++calls > 1) throw thrown()
      return '<a@x.org>'
    },
  })
  await clock.settle()
  expect(results).toEqual([expect.objectContaining({ outcome: 'not-sent', attempts: 0 })])
  expect([deliveryOutcome(results[0]), String((results[0] as Error).message)]).toEqual([
    'not-sent',
    expect.stringContaining('The envelope is broken'),
  ])
  await close()
})

it('goes on where the callback of an email throws, which is an exception of its caller', async () => {
  const thrown: unknown[] = []
  process.setUncaughtExceptionCaptureCallback((error) => thrown.push(error.message))
  try {
    const { send, server, results, close } = setUp({ pool: { maxConnections: 1 }, pipelining: 'envelope' })
    const { push } = results
    results.push = (...items) => {
      push.apply(results, items)
      if (results.length === 1) throw new Error('The callback failed')
      return results.length
    }
    for (let mail = 0; mail < 3; mail++) send()
    await clock.advance(1_000)
    expect([results.length, server.taken.length, server.sessions.length]).toEqual([3, 3, 1])
    expect(thrown).toEqual(['The callback failed'])
    await close()
  } finally {
    process.setUncaughtExceptionCaptureCallback(null)
  }
})

describe('pool.maxQueued', () => {
  const FULL = { code: 'ERR_POSTMARK_QUEUE_FULL' }

  it('refuses an email at once where as many wait as it allows, and takes others once there is room', async () => {
    const { send, server, results, close } = setUp({ pool: { maxConnections: 1, maxQueued: 3 } })
    for (let mail = 0; mail < 5; mail++) send()
    await clock.settle()
    expect(results.map((result) => [(result as { code?: string }).code, deliveryOutcome(result)])).toEqual([
      [FULL.code, 'not-sent'],
      [FULL.code, 'not-sent'],
    ])
    expect(String(results[0])).toContain('the queue is full (pool.maxQueued is 3)')
    await clock.advance(1_000)
    expect([results.length, server.taken.length]).toEqual([5, 3])
    for (let mail = 0; mail < 4; mail++) send()
    await clock.advance(1_000)
    // The session is ready, so that one of them does not wait.
    expect([results.length, server.taken.length]).toEqual([9, 7])
    await close()
  })

  it('counts the emails of all routes', async () => {
    const other = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a12'
    const transporter = createPostmarkTransport({
      serverToken: '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11',
      streams: { other: { serverToken: other } },
      host: '127.0.0.1',
      allowPlaintext: true,
      getSocket: () => {},
      pool: { maxQueued: 2 },
    })
    const message = { from: 'a@x.org', to: 'b@x.org', text: 'Hello' }
    const results = ['outbound', 'other', 'outbound', 'other'].map((messageStream) =>
      transporter.sendMail({ ...message, postmark: { messageStream } }).catch((error) => error.code),
    )
    await clock.settle()
    await transporter.close({ force: true })
    const CLOSED = 'ERR_POSTMARK_CLOSED'
    expect(await Promise.all(results)).toEqual([CLOSED, CLOSED, FULL.code, FULL.code])
  })

  it('gives no email up that comes back for another attempt, however many wait by then', async () => {
    let refusals = 0
    const { send, server, results, close } = setUp({
      pool: { maxConnections: 1, maxQueued: 2 },
      script: ({ step }: StepContext) => (step === 'dot' && refusals++ < 4 ? { step, say: 451 } : undefined),
    })
    for (let round = 0; round < 4; round++) {
      send()
      send()
      await clock.advance(20)
    }
    await clock.advance(60_000)
    expect(results.filter((result) => 'response' in (result as object))).toHaveLength(server.taken.length)
    expect(results.filter((result) => !('response' in (result as object)))).toEqual([])
    expect(server.taken).toHaveLength(8)
    await close()
  })
})

it('is idle at the start, and again where a queue has run out by its deadline', async () => {
  const { send, transport, results, close } = setUp({
    pool: { maxConnections: 2 },
    retry: { deadlineMs: 5_000 },
    getSocket: () => {},
  })
  let idle = 0
  transport.on('idle', () => idle++)
  await clock.settle()
  expect([transport.isIdle(), idle]).toEqual([true, 1])
  for (let mail = 0; mail < 5; mail++) send()
  await clock.settle()
  expect([transport.isIdle(), idle]).toEqual([false, 1])
  await clock.advance(5_001)
  expect([results.length, transport.isIdle(), idle]).toEqual([5, true, 2])
  await close()
})
