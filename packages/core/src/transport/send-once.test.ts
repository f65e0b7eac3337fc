import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  createScriptedServer,
  installVirtualClock,
  type ScriptedServerOptions,
  startSmtpServer,
  type VirtualClock,
} from '@postmark-smtp/testing'
import { createTransport } from 'nodemailer'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  attachPostmark,
  createMemorySendOnce,
  createPostmarkTransport,
  createSuppressionList,
  deliveryOutcome,
  isSendOnceFailure,
  type PostmarkTransporter,
  type PostmarkTransportOptions,
  runWithPostmark,
  type SendOnceStore,
} from '../index.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const LEASE = 30_000
const mail = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Receipt', text: 'Thank you' }
const keyed = { ...mail, idempotencyKey: 'receipt-1' }
const hash = (key: string) => createHash('sha256').update(key).digest('base64url')

/** A store in memory whose methods a test can replace, with the order in which it was asked. */
function createStore(replaced: Partial<SendOnceStore> = {}) {
  const memory = createMemorySendOnce()
  const calls: string[] = []
  const pick = <N extends 'claim' | 'renew' | 'settle'>(name: N): SendOnceStore[N] =>
    ((...args: unknown[]) => {
      calls.push(name === 'settle' ? (args[2] as string) : name)
      const method = (replaced[name] ?? memory[name].bind(memory)) as (...args: unknown[]) => unknown
      return method(...args)
    }) as SendOnceStore[N]
  const store: SendOnceStore = {
    claim: pick('claim'),
    renew: pick('renew'),
    settle: pick('settle'),
    resolve: memory.resolve.bind(memory),
    unknowns: memory.unknowns.bind(memory),
  }
  const unknowns = async () => {
    const found = []
    for await (const unknown of memory.unknowns()) found.push(unknown)
    return found
  }
  return { store, memory, calls, replaced, unknowns }
}

/** Waits for what a call ends with. */
async function end(sending: Promise<unknown>): Promise<Record<string, unknown> & { postmark?: object }> {
  return (await sending.catch((error) => error)) as Record<string, unknown>
}

describe('an email with an idempotency key', () => {
  let server: Awaited<ReturnType<typeof startSmtpServer>>
  let refusal: Error | undefined
  const open: PostmarkTransporter[] = []
  beforeEach(async () => {
    refusal = undefined
    server = await startSmtpServer({ onData: () => refusal })
  })
  afterEach(async () => {
    for (const transporter of open.splice(0)) await transporter.close()
    await server.close()
  })
  const create = (options: Partial<PostmarkTransportOptions>) => {
    const { host, port, ca } = server
    const all = { serverToken: TOKEN, host, ports: [port], tls: { ca }, retry: { baseMs: 1 }, ...options }
    const transporter = createPostmarkTransport(all as PostmarkTransportOptions)
    open.push(transporter)
    return transporter
  }

  it('goes out once, and whoever sends it again learns what became of it', async () => {
    const transporter = create({ sendOnce: createMemorySendOnce() })
    const first = await transporter.sendMail(keyed)
    const second = await transporter.sendMail({ ...keyed, subject: 'Once more' })
    expect(server.mails).toHaveLength(1)
    expect(first.postmark.duplicate).toBeUndefined()
    const { messageId, response, envelopeTime, messageTime, messageSize } = first
    expect(second).toEqual({
      envelope: { from: 'shop@example.com', to: ['ann@example.com'] },
      accepted: ['ann@example.com'],
      rejected: [],
      ...{ messageId, response, envelopeTime, messageTime, messageSize },
      postmark: expect.objectContaining({ duplicate: true, attempts: 0, host: server.host }),
    })
  })

  it('has the hash of its key in its metadata, under send-once', async () => {
    const transporter = create({ sendOnce: createMemorySendOnce() })
    const info = await runWithPostmark({ metadata: { order: '7' } }, () => transporter.sendMail(keyed))
    expect(server.mails[0]?.header('X-PM-Metadata-send-once')).toBe(hash('receipt-1'))
    expect(info.postmark.metadata).toEqual({ order: '7', 'send-once': hash('receipt-1') })
    expect(info.postmark.origins['metadata.send-once']).toEqual({
      value: hash('receipt-1'),
      level: 'idempotencyKey',
    })
  })

  it('is one email where two hundred calls come at once', async () => {
    const { store } = createStore()
    const transporters = [create({ sendOnce: store }), create({ sendOnce: store })]
    const ends = await Promise.all(
      Array.from({ length: 200 }, (_, n) => end(transporters[n % 2]!.sendMail(keyed))),
    )
    expect(server.mails).toHaveLength(1)
    expect(ends.filter(({ code }) => code === 'ERR_POSTMARK_ONCE_HELD').length).toBeGreaterThan(0)
    expect(ends.filter(({ code }) => code !== undefined && code !== 'ERR_POSTMARK_ONCE_HELD')).toEqual([])
    for (const error of ends.filter(({ code }) => code !== undefined)) {
      expect(deliveryOutcome(error)).toBe('not-sent')
      expect(isSendOnceFailure(error)).toBe(true)
    }
  })

  it('goes out with many others, each once, where there are more than can be claimed at once', async () => {
    const { store, calls } = createStore()
    const transporter = create({ sendOnce: store })
    const keys = Array.from({ length: 300 }, (_, n) => `key-${n % 150}`)
    await Promise.allSettled(keys.map((idempotencyKey) => transporter.sendMail({ ...mail, idempotencyKey })))
    expect(server.mails).toHaveLength(150)
    expect(calls.filter((call) => call === 'sent')).toHaveLength(150)
    expect(new Set(server.mails.map((each) => each.header('X-PM-Metadata-send-once'))).size).toBe(150)
  })

  it('is refused where the key belongs to another email', async () => {
    const transporter = create({ sendOnce: createMemorySendOnce() })
    await transporter.sendMail(keyed)
    for (const other of [
      { ...keyed, bcc: 'bob@example.com' },
      { ...keyed, postmark: { messageStream: 'news' } },
    ]) {
      const sending = transporter.sendMail(other)
      await expect(sending).rejects.toMatchObject({ code: 'ERR_POSTMARK_ONCE_CONFLICT', outcome: 'not-sent' })
    }
    expect(server.mails).toHaveLength(1)
  })

  it('may be sent again under its key after it was refused', async () => {
    const transporter = create({ sendOnce: createMemorySendOnce() })
    refusal = Object.assign(new Error('no'), { responseCode: 550 })
    await expect(transporter.sendMail(keyed)).rejects.toMatchObject({ outcome: 'rejected' })
    refusal = undefined
    const info = await transporter.sendMail(keyed)
    expect(info.postmark.duplicate).toBeUndefined()
    expect(server.mails).toHaveLength(1)
  })

  it('keeps its claim over its attempts, and gives it back after the last', async () => {
    const { store, calls } = createStore()
    refusal = Object.assign(new Error('later'), { responseCode: 451 })
    const transporter = create({ sendOnce: store, retry: { attempts: 3, baseMs: 1 } })
    await expect(transporter.sendMail(keyed)).rejects.toMatchObject({ outcome: 'deferred', attempts: 3 })
    expect(calls).toEqual(['claim', 'released'])
  })

  it('counts as sent where the server took some of its recipients', async () => {
    await server.close()
    server = await startSmtpServer({
      onRcpt: (address) => (address.startsWith('bob') ? new Error('no') : undefined),
    })
    const transporter = create({ sendOnce: createMemorySendOnce() })
    const two = { ...keyed, to: ['ann@example.com', 'bob@example.com'] }
    expect(await transporter.sendMail(two)).toMatchObject({ rejected: ['bob@example.com'] })
    // Which of them is not kept, since a store has no addresses.
    const again = await transporter.sendMail(two)
    expect(again).toMatchObject({ accepted: [], rejected: [], postmark: { duplicate: true } })
    expect(server.mails).toHaveLength(1)
  })

  it('is claimed after preflight and suppressions have let it pass, not before', async () => {
    const { store, calls } = createStore()
    const suppressions = createSuppressionList()
    suppressions.add({ address: 'ann@example.com', stream: 'outbound' })
    const transporter = create({ sendOnce: store, suppressions })
    await expect(transporter.sendMail(keyed)).rejects.toMatchObject({ code: 'ERR_POSTMARK_SUPPRESSED' })
    await expect(transporter.sendMail({ ...keyed, to: 'not an address' })).rejects.toThrow()
    await expect(transporter.sendMail({ ...keyed, postmark: { tag: 'x'.repeat(2000) } })).rejects.toThrow()
    expect(calls).toEqual([])
  })

  it('lets the file go that a duplicate would have sent', async () => {
    const transporter = create({ sendOnce: createMemorySendOnce() })
    await transporter.sendMail(keyed)
    const content = Readable.from(['Hello'])
    await transporter.sendMail({ ...keyed, attachments: [{ filename: 'a.txt', content }] })
    expect(content.destroyed).toBe(true)
  })

  it('is not refused where it has no key, and asks the store nothing', async () => {
    const { store, calls } = createStore()
    const transporter = create({ sendOnce: store })
    await transporter.sendMail(mail)
    await transporter.sendMail({ ...mail, idempotencyKey: undefined })
    expect(server.mails).toHaveLength(2)
    expect(calls).toEqual([])
    expect(server.mails[0]?.header('X-PM-Metadata-send-once')).toBeUndefined()
  })

  it.each([[''], [' '], [7], [null], ['\ud800'], [{}]])(
    'is refused in every mode of preflight where its key is %j',
    async (idempotencyKey) => {
      for (const preflight of ['throw', 'warn', 'fit'] as const) {
        const transporter = create({ sendOnce: createMemorySendOnce(), preflight, onWarning: () => {} })
        const sending = transporter.sendMail({ ...mail, idempotencyKey: idempotencyKey as string })
        await expect(sending).rejects.toMatchObject({
          code: 'ERR_POSTMARK_PREFLIGHT',
          problems: [{ path: 'idempotencyKey' }],
        })
      }
      expect(server.mails).toEqual([])
    },
  )

  it('is refused by a transporter without a store, and by one of the caller\u2019s own', async () => {
    const { host, port, ca } = server
    const own = attachPostmark(
      createTransport({ host, port, requireTLS: true, tls: { ca }, auth: { user: TOKEN, pass: TOKEN } }),
      { preflight: 'warn', onWarning: () => {} },
    )
    for (const transporter of [create({}), own])
      await expect(transporter.sendMail(keyed)).rejects.toThrow(
        'idempotencyKey is set (expected: a transporter with the option `sendOnce`).',
      )
    own.close()
    expect(server.mails).toEqual([])
  })

  describe('needs a place among the ten keys of metadata', () => {
    const metadata = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`key-${n}`, 'x']))

    it('and is refused where the caller wrote ten', async () => {
      const transporter = create({ sendOnce: createMemorySendOnce() })
      await transporter.sendMail({ ...keyed, postmark: { metadata: metadata(9) } })
      const sending = transporter.sendMail({ ...keyed, postmark: { metadata: metadata(10) } })
      await expect(sending).rejects.toThrow('has 11 keys, including those from headers and idempotencyKey')
    })

    it('which one of a scope makes', async () => {
      const transporter = create({ sendOnce: createMemorySendOnce(), onWarning: () => {} })
      const info = await runWithPostmark({ metadata: metadata(10) }, () => transporter.sendMail(keyed))
      expect(Object.keys(info.postmark.metadata ?? {})).toHaveLength(10)
      expect(info.postmark.metadata).toHaveProperty('send-once', hash('receipt-1'))
    })

    it('and its own, which nobody else may use for another value', async () => {
      const warnings: string[] = []
      const transporter = create({
        sendOnce: createMemorySendOnce(),
        onWarning: ({ path }) => warnings.push(path),
      })
      const taken = (value: string) => ({ ...keyed, postmark: { metadata: { 'Send-Once': value } } })
      await expect(transporter.sendMail(taken('mine'))).rejects.toThrow('postmark.metadata.Send-Once')
      await transporter.sendMail(taken(hash('receipt-1')))
      await runWithPostmark({ metadata: { 'send-once': 'mine' } }, () =>
        transporter.sendMail({ ...mail, idempotencyKey: 'receipt-2' }),
      )
      expect(warnings).toEqual(['context.metadata.send-once'])
      expect(server.mails.map((each) => each.header('X-PM-Metadata-send-once'))).toEqual([
        hash('receipt-1'),
        hash('receipt-2'),
      ])
    })
  })

  it.each<[unknown, string]>([
    [{}, 'Option sendOnce.store is'],
    ['redis', 'Option sendOnce is'],
    [{ store: {} }, 'Option sendOnce.store is'],
    [{ store: createMemorySendOnce(), leaseMs: 999 }, 'Option sendOnce.leaseMs is'],
    [{ store: createMemorySendOnce(), timeoutMs: 0 }, 'Option sendOnce.timeoutMs is'],
    [{ store: createMemorySendOnce(), lease: 1 }, 'Unknown option "sendOnce.lease"'],
  ])('comes with an option that is checked: %j', (sendOnce, message) => {
    expect(() => create({ sendOnce: sendOnce as SendOnceStore })).toThrow(message)
  })
})

describe('an email with an idempotency key, on a clock of its own,', () => {
  let clock: VirtualClock
  beforeEach(() => {
    clock = installVirtualClock()
  })
  afterEach(() => clock.uninstall())

  function setUp(
    script: ScriptedServerOptions['script'],
    options: Partial<PostmarkTransportOptions> = {},
    replaced: Partial<SendOnceStore> = {},
  ) {
    const server = createScriptedServer(clock, script ? { script } : {})
    const kept = createStore(replaced)
    const transporter = createPostmarkTransport({
      serverToken: TOKEN,
      host: '127.0.0.1',
      allowPlaintext: true,
      getSocket: server.getSocket,
      sendOnce: kept.store,
      ...options,
    } as PostmarkTransportOptions)
    const ends: Record<string, unknown>[] = []
    const send = (more: object = {}) =>
      void end(transporter.sendMail({ ...keyed, ...more })).then((e) => ends.push(e))
    return { server, transporter, send, ends, ...kept }
  }

  it('is unknown to the next caller where the reply was lost, until somebody resolves it', async () => {
    const { server, send, ends, calls, memory, unknowns } = setUp(({ step, connection }) =>
      step === 'dot' && connection === 0
        ? { step, say: 'nothing', accepted: true, next: 'reset' }
        : undefined,
    )
    send()
    await clock.advance(1_000)
    expect(ends).toMatchObject([{ outcome: 'unknown' }])
    expect(calls).toEqual(['claim', 'unknown'])
    send()
    await clock.advance(1_000)
    expect(ends[1]).toMatchObject({ code: 'ERR_POSTMARK_ONCE_UNKNOWN', reference: hash('receipt-1') })
    const [unknown] = await unknowns()
    await memory.resolve(unknown!.id, 'sent', { messageId: 'pm-1', errorCode: 406 })
    send()
    await clock.advance(1_000)
    expect(ends[2]).toMatchObject({
      postmark: { duplicate: true, postmarkMessageId: 'pm-1', errorCode: 406 },
    })
    expect(server.taken).toHaveLength(1)
  })

  it('is not tried again after an unknown outcome, whatever retry.unknown says', async () => {
    const { server, send, ends } = setUp(
      ({ step }) => (step === 'dot' ? { step, say: 'nothing', accepted: true, next: 'reset' } : undefined),
      { retry: { unknown: true } },
    )
    send()
    await clock.advance(600_000)
    expect(ends).toMatchObject([{ outcome: 'unknown', attempts: 1 }])
    expect(server.taken).toHaveLength(1)
  })

  it('is settled before its caller hears of it', async () => {
    let settle: (settled: boolean) => void = () => {}
    const { send, ends, calls } = setUp(
      undefined,
      {},
      {
        settle: () =>
          new Promise((resolve) => {
            settle = resolve
          }),
      },
    )
    send()
    await clock.advance(4_000)
    expect([calls, ends]).toEqual([['claim', 'sent'], []])
    settle(true)
    await clock.settle()
    expect(ends).toMatchObject([{ postmark: { attempts: 1 } }])
    expect(ends[0]?.postmark).not.toHaveProperty('sendOnce')
  })

  it('is no error where it was sent and the store cannot be told, and that is tried on', async () => {
    const { send, ends, calls, replaced } = setUp(
      undefined,
      {},
      {
        settle: () => Promise.reject(new Error('down')),
      },
    )
    send()
    await clock.advance(100)
    expect(ends).toMatchObject([{ postmark: { sendOnce: 'unsettled' } }])
    delete replaced.settle
    await clock.advance(60_000)
    send()
    await clock.advance(100)
    expect(ends[1]).toMatchObject({ postmark: { duplicate: true } })
    expect(calls.filter((call) => call === 'sent').length).toBeGreaterThan(1)
  })

  it('gets its own error where it failed and the store cannot be told', async () => {
    const { send, ends } = setUp(
      ({ step }) => (step === 'dot' ? { step, say: 550 } : undefined),
      {},
      { settle: () => new Promise(() => {}) },
    )
    send()
    await clock.advance(10_000)
    expect(ends).toMatchObject([{ outcome: 'rejected', responseCode: 550 }])
  })

  it('is not sent where the store cannot be asked, and the others are', async () => {
    const { server, send, ends } = setUp(undefined, {}, { claim: () => new Promise(() => {}) })
    for (let n = 0; n < 100; n++) send({ idempotencyKey: `key-${n}` })
    send({ idempotencyKey: undefined, subject: 'Without a key' })
    await clock.advance(1_000)
    expect(ends).toMatchObject([{ postmark: { attempts: 1 } }])
    await clock.advance(30_000)
    expect(ends).toHaveLength(101)
    expect(ends.filter(({ code }) => code === 'ERR_POSTMARK_ONCE_STORE')).toHaveLength(100)
    expect(server.taken).toHaveLength(1)
  })

  it('is not sent by a process whose lease is over when the server asks for the body\u2019s end', async () => {
    const { server, send, ends, calls } = setUp(
      ({ step, connection }) => (step === 'data' && connection === 0 ? { step, waitMs: 28_000 } : undefined),
      {},
      { renew: () => Promise.reject(new Error('down')) },
    )
    send()
    await clock.advance(29_000)
    expect(ends).toMatchObject([{ code: 'EFENCE', outcome: 'not-sent', phase: 'body', attempts: 1 }])
    expect(ends[0]).toHaveProperty('message', expect.stringContaining('Send again with the same key.'))
    expect(calls.at(-1)).toBe('released')
    expect(server.taken).toEqual([])
    expect(server.violations).toEqual([])
  })

  it('that waited for a connection, or was composed ahead, is not sent either then', async () => {
    const { server, send, ends } = setUp(
      ({ step, mail: count }) => (step === 'dot' && count === 0 ? { step, waitMs: 28_000 } : undefined),
      { pool: { maxConnections: 1 } },
      { renew: () => Promise.reject(new Error('down')) },
    )
    for (const idempotencyKey of ['first', 'second', 'third']) send({ idempotencyKey })
    await clock.advance(60_000)
    expect(ends).toMatchObject([{ postmark: { attempts: 1 } }, { code: 'EFENCE' }, { code: 'EFENCE' }])
    expect(server.taken).toHaveLength(1)
  })

  it('asks the fence at each attempt', async () => {
    const { server, send, ends } = setUp(
      ({ step, connection }) =>
        step === 'dot' && connection === 0 ? { step, say: 451, waitMs: 20_000 } : undefined,
      { retry: { baseMs: 30_000 } },
      { renew: () => Promise.reject(new Error('down')) },
    )
    send()
    await clock.advance(120_000)
    expect(ends).toMatchObject([{ code: 'EFENCE', attempts: 2, outcome: 'not-sent' }])
    expect(server.taken).toEqual([])
  })

  it('is renewed while it waits for its next attempt', async () => {
    let refused = 0
    const { server, send, ends, calls } = setUp(
      ({ step }) => (step === 'dot' && refused++ < 5 ? { step, say: 451 } : undefined),
      { retry: { baseMs: 30_000 } },
    )
    send()
    await clock.advance(180_000)
    expect(ends).toMatchObject([{ postmark: { attempts: 6 } }])
    expect(calls.filter((call) => call === 'renew').length).toBeGreaterThan(3)
    expect(server.taken).toHaveLength(1)
  })

  it('that is aborted while it is claimed gives the claim back', async () => {
    const { server, send, ends, calls, memory } = setUp(
      undefined,
      {},
      {
        claim: async (key, request) => {
          await new Promise((resolve) => setTimeout(resolve, 1_000))
          return memory.claim(key, request)
        },
      },
    )
    const abort = new AbortController()
    send({ signal: abort.signal })
    await clock.advance(500)
    abort.abort()
    await clock.settle()
    expect(ends).toMatchObject([{ code: 'EABORT', outcome: 'not-sent' }])
    await clock.advance(1_000)
    expect(calls).toEqual(['claim', 'released'])
    expect(server.taken).toEqual([])
  })

  it('that is aborted when its end is out becomes unknown', async () => {
    const { send, ends, calls } = setUp(({ step }) => (step === 'dot' ? { step, waitMs: 1_000 } : undefined))
    const abort = new AbortController()
    send({ signal: abort.signal })
    await clock.advance(500)
    abort.abort()
    await clock.settle()
    expect(ends).toMatchObject([{ code: 'EABORT', outcome: 'unknown' }])
    expect(calls).toEqual(['claim', 'unknown'])
  })

  it('ends at its deadline while the store is silent, and close waits for neither', async () => {
    const { send, ends, transporter } = setUp(
      undefined,
      { retry: { deadlineMs: 2_000 } },
      { claim: () => new Promise(() => {}) },
    )
    send()
    await clock.advance(2_000)
    expect(ends).toMatchObject([{ code: 'ETIMEDOUT', outcome: 'not-sent' }])
    send()
    let closed = false
    void transporter.close({ force: true }).then(() => {
      closed = true
    })
    await clock.advance(100)
    expect(ends[1]).toMatchObject({ code: 'ERR_POSTMARK_CLOSED' })
    expect(closed).toBe(true)
    await clock.advance(700_000)
    expect(clock.pending()).toEqual([])
  })

  it('leaves a claim of a process that died to a look-up, not to the next caller', async () => {
    const { send, ends, memory, server } = setUp(undefined)
    const { fingerprint } = await fingerprintOf()
    await memory.claim(hash('receipt-1'), {
      owner: 'dead',
      leaseMs: LEASE,
      reference: hash('receipt-1'),
      fingerprint,
    })
    send()
    await clock.advance(100)
    expect(ends).toMatchObject([{ code: 'ERR_POSTMARK_ONCE_HELD', forMs: LEASE }])
    await clock.advance(LEASE)
    send()
    await clock.advance(100)
    expect(ends[1]).toMatchObject({ code: 'ERR_POSTMARK_ONCE_UNKNOWN', outcome: 'unknown' })
    for await (const { id } of memory.unknowns()) await memory.resolve(id, 'released')
    send()
    await clock.advance(100)
    expect(ends[2]).toMatchObject({ postmark: { attempts: 1 } })
    expect(server.taken).toHaveLength(1)
  })

  /** What a transporter claims the email with. */
  async function fingerprintOf() {
    let seen: { fingerprint: string } = { fingerprint: '' }
    const { send } = setUp(
      undefined,
      {},
      {
        claim: (_key, request) => {
          seen = request
          return 'conflict'
        },
      },
    )
    send()
    await clock.advance(100)
    return seen
  }
})
