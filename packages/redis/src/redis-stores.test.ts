import { createPostmarkTransport, type SendOnceStore } from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import { type Redis, redisMissing, runSendOnceContract, startRedis } from '@postmark-smtp/testing'
import {
  type BounceClient,
  createWebhookHandler,
  type DedupeStore,
  type ReconcileCursor,
  reconcile,
  suppressFrom,
  type UnknownStore,
} from '@postmark-smtp/webhooks'
import { Redis as IoRedis6 } from 'ioredis'
import { Redis as IoRedis5 } from 'ioredis5'
import { createClient as createClient6, RESP_TYPES } from 'redis'
import { createClient as createClient5 } from 'redis5'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createRedisCursor,
  createRedisDedupe,
  createRedisSendOnce,
  createRedisSuppressions,
  type RedisClient,
} from './index.js'

const missing = redisMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

interface Connected {
  readonly client: RedisClient
  send(command: string, ...args: string[]): Promise<unknown>
  close(): Promise<unknown>
}

/** The clients that fit, each as its users make it. */
const CLIENTS: readonly [string, (path: string) => Promise<Connected>][] = [
  [
    'ioredis 6',
    async (path) => {
      const client = new IoRedis6(path)
      return { client, send: (command, ...args) => client.call(command, ...args), close: () => client.quit() }
    },
  ],
  [
    'ioredis 5',
    async (path) => {
      const client = new IoRedis5(path)
      return { client, send: (command, ...args) => client.call(command, ...args), close: () => client.quit() }
    },
  ],
  [
    'node-redis 6',
    async (path) => {
      const client = createClient6({ socket: { path, tls: false } })
      await client.connect()
      return { client, send: (...command) => client.sendCommand(command), close: () => client.close() }
    },
  ],
  [
    'node-redis 5',
    async (path) => {
      const client = createClient5({ socket: { path, tls: false } })
      await client.connect()
      return { client, send: (...command) => client.sendCommand(command), close: () => client.close() }
    },
  ],
]

/** The time of a real Redis passes by itself, on a clock that a timer here may be a little ahead of. */
const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms + 20))

describe.skipIf(skipped)('on a real Redis', () => {
  let server: Redis
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server?.close())

  // Most of the time passes for leases to end: the clients wait together, each with keys of its own.
  describe.concurrent.each(CLIENTS)('with %s', (name, connect) => {
    let connected: Connected
    let client: RedisClient
    let prefix: string
    let count = 0
    beforeAll(async () => {
      connected = await connect(server.path)
      client = connected.client
    })
    afterAll(() => connected?.close())
    const next = () => {
      prefix = `${name} ${++count}`
      return { prefix }
    }
    const keys = async () => ((await connected.send('KEYS', `{${prefix}}*`)) as string[]).toSorted()
    const ttl = async (key: string) => Number(await connected.send('PTTL', key))

    describe.sequential('the send-once store', () => {
      runSendOnceContract({
        create: (ttlMs) => createRedisSendOnce(client, { ...next(), ttlMs }),
        pass,
        leaseMs: 150,
      })

      it('works after Redis has lost its scripts', async () => {
        const store = createRedisSendOnce(client, next())
        await connected.send('SCRIPT', 'FLUSH')
        const request = { owner: 'ann', leaseMs: 60_000, reference: 'r', fingerprint: 'f' }
        expect(await store.claim('a', request)).toBe('claimed')
        await connected.send('SCRIPT', 'FLUSH')
        expect(await store.renew('a', 'ann', 60_000)).toBe(true)
        expect(await store.settle('a', 'ann', 'released')).toBe(true)
      })

      it('keeps keys for a week, hashed, under one prefix, and lets what is settled leave the index', async () => {
        const store = createRedisSendOnce(client, next())
        const request = { owner: 'ann', leaseMs: 60_000, reference: 'r', fingerprint: 'f' }
        await store.claim('a', request)
        expect(await keys()).toEqual([`{${prefix}}:once:a`, `{${prefix}}:once:open`])
        await store.settle('a', 'ann', 'sent')
        expect(await keys()).toEqual([`{${prefix}}:once:a`])
        const left = await ttl(`{${prefix}}:once:a`)
        expect(left).toBeGreaterThan(604_700_000)
        expect(left).toBeLessThanOrEqual(604_800_000)
      })

      it('takes a key from the index that Redis has forgotten', async () => {
        const store = createRedisSendOnce(client, { ...next(), ttlMs: 1 })
        await store.claim('a', { owner: 'ann', leaseMs: 1, reference: 'r', fingerprint: 'f' })
        while ((await ttl(`{${prefix}}:once:a`)) !== -2) await pass(5)
        expect(await keys()).toEqual([`{${prefix}}:once:open`])
        for await (const unknown of store.unknowns()) expect(unknown).toBeUndefined()
        expect(await keys()).toEqual([])
      })

      it('answers each of many who ask at once, and the failure of one key is not that of another', async () => {
        const store = createRedisSendOnce(client, next())
        await connected.send('SET', `{${prefix}}:once:key-150`, 'of somebody else')
        const request = { leaseMs: 60_000, reference: 'r', fingerprint: 'f' }
        const claims = await Promise.allSettled(
          Array.from({ length: 250 }, (_, n) =>
            store.claim(`key-${n}`, { owner: n % 2 ? 'bob' : 'ann', ...request }),
          ),
        )
        const failed = claims.flatMap((claim, n) => (claim.status === 'rejected' ? [[n, claim.reason]] : []))
        expect(failed).toEqual([
          [150, expect.objectContaining({ message: expect.stringContaining('WRONGTYPE') })],
        ])
        const settled = await Promise.all([
          store.settle('key-0', 'ann', 'sent'),
          store.settle('key-1', 'ann', 'released'),
          store.renew('key-2', 'ann', 60_000),
          store.claim('key-0', { owner: 'carl', ...request }),
          store.claim('key-249', { owner: 'bob', ...request }),
        ])
        expect(settled).toMatchObject([true, false, true, { sent: true }, 'claimed'])
      })

      it('makes no claim that too few replicas have', async () => {
        const store = createRedisSendOnce(client, { ...next(), replicas: 1 })
        const request = { owner: 'ann', leaseMs: 60_000, reference: 'r', fingerprint: 'f' }
        await expect(store.claim('a', request)).rejects.toThrow('Only 0 of 1 Redis replicas')
        // Whoever made it gives it back.
        expect(await store.settle('a', 'ann', 'released')).toBe(true)
      })

      it('fits the look-up of webhooks', () => {
        const store: UnknownStore = createRedisSendOnce(client, next())
        expect(store.unknowns).toBeTypeOf('function')
      })

      it('sends an email once over two transports', async () => {
        await using sandbox = await startSandbox()
        next()
        const create = () =>
          createPostmarkTransport({ url: sandbox.url, sendOnce: createRedisSendOnce(client, { prefix }) })
        await using transporters = {
          all: [create(), create()],
          [Symbol.asyncDispose]: async () => {
            for (const each of transporters.all) await each.close()
          },
        }
        const message = {
          from: 'shop@example.com',
          to: 'ann@example.com',
          subject: 'Receipt',
          text: 'Thank you',
        }
        const send = (at: number) => transporters.all[at]!.sendMail({ ...message, idempotencyKey: 'k' })
        const first = await send(0)
        const second = await send(1)
        expect(second).toMatchObject({
          response: first.response,
          messageId: first.messageId,
          postmark: { duplicate: true },
        })
        expect(sandbox.outbox).toHaveLength(1)
        expect(JSON.stringify(await connected.send('HGETALL', (await keys())[0]!))).not.toMatch(
          /shop@|ann@|Receipt|Thank/,
        )
      })
    })

    describe.sequential('the dedupe store', () => {
      it('tells a new key from a busy one and from one that is done', async () => {
        const store: DedupeStore = createRedisDedupe(client, next())
        expect(await store.claim('a', 60_000)).toBe('new')
        expect(await store.claim('a', 60_000)).toBe('busy')
        await store.confirm('a', 86_400_000)
        expect(await store.claim('a', 60_000)).toBe('done')
        expect(await ttl(`{${prefix}}:event:a`)).toBeGreaterThan(86_000_000)
        await store.release('a')
        expect(await store.claim('a', 60_000)).toBe('done')
        await store.claim('b', 60_000)
        expect(await ttl(`{${prefix}}:event:b`)).toBeLessThanOrEqual(60_000)
        await store.release('b')
        expect(await store.claim('b', 60_000)).toBe('new')
      })

      it('gives a key to one of a hundred who claim it at once', async () => {
        const store = createRedisDedupe(client, next())
        const claims = await Promise.all(Array.from({ length: 100 }, () => store.claim('a', 60_000)))
        expect(claims.filter((claim) => claim === 'new')).toHaveLength(1)
        expect(claims.filter((claim) => claim === 'busy')).toHaveLength(99)
      })

      it('lets two processes handle an event once', async () => {
        const handled: string[] = []
        next()
        const handlers = ['first', 'second'].map((process) =>
          createWebhookHandler({
            auth: { header: { name: 'x-secret', value: SECRET } },
            dedupe: createRedisDedupe(client, { prefix }),
            on: { delivered: () => handled.push(process) },
          }),
        )
        for (const handle of handlers) expect((await handle(toPost())).status).toBe(200)
        expect(handled).toEqual(['first'])
      })
    })

    describe.sequential('the suppressions', () => {
      const at = (ms: number) => new Date(1_700_000_000_000 + ms)

      it('are found by stream, many at once, whatever their case', async () => {
        const store = createRedisSuppressions(client, next())
        await store.add({ address: 'Ann@Example.com ', stream: 'outbound', reason: 'HardBounce' })
        await store.add({ address: 'bob@example.com', stream: 'broadcast' })
        const all = Array.from({ length: 500 }, (_, n) => `user-${n}@example.com`)
        const asked = [...all, 'ann@example.com', 'bob@example.com']
        expect(await store.find(asked, 'outbound')).toEqual(['ann@example.com'])
        expect(await store.find(['ANN@example.com', 'bob@example.com'], 'broadcast')).toEqual([
          'bob@example.com',
        ])
        expect(await store.find([], 'outbound')).toEqual([])
        expect(await store.find(all, 'nothing')).toEqual([])
      })

      it('obey the later change, in whatever order they come', async () => {
        const store = createRedisSuppressions(client, next())
        const ann = { address: 'ann@example.com', stream: 'outbound' }
        const isOn = async () => (await store.find([ann.address], ann.stream)).length === 1
        await store.remove({ ...ann, at: at(2) })
        await store.add({ ...ann, at: at(1) })
        expect(await isOn()).toBe(false)
        await store.add({ ...ann, at: at(3), reason: '9 lives' })
        expect(await isOn()).toBe(true)
        await store.remove({ ...ann, at: at(2) })
        expect(await isOn()).toBe(true)
        await store.remove(ann)
        expect(await isOn()).toBe(false)
        await store.add(ann)
        expect(await isOn()).toBe(true)
      })

      it('keep an email from going out after an event of a webhook', async () => {
        await using sandbox = await startSandbox()
        const suppressions = createRedisSuppressions(client, next())
        const event = {
          kind: 'complained',
          recipient: 'ann@example.com',
          messageStream: 'outbound',
          test: false,
        }
        await suppressFrom(suppressions, event as Parameters<typeof suppressFrom>[1])
        const transporter = createPostmarkTransport({ url: sandbox.url, suppressions })
        const sending = transporter.sendMail({ from: 'a@example.com', to: 'ann@example.com', text: 'Hi' })
        await expect(sending).rejects.toMatchObject({ code: 'ERR_POSTMARK_SUPPRESSED' })
        await transporter.close()
      })
    })

    describe.sequential('the cursor', () => {
      it('is loaded as it was saved, and takes no stream back', async () => {
        const cursor = createRedisCursor(client, next())
        expect(await cursor.load()).toBeUndefined()
        const saved: ReconcileCursor = {
          outbound: { at: '2026-01-31T12:00:00.000Z', id: 7 },
          news: { at: '2026-01-31T12:00:00.000Z', id: '9007199254740993' },
        }
        await cursor.save(saved)
        expect(await cursor.load()).toEqual(saved)
        await cursor.save({
          outbound: { at: '2026-01-31T11:59:59.999Z', id: 9 },
          news: { at: '2026-01-31T12:00:00.001Z', id: 8 },
        })
        expect(await cursor.load()).toEqual({
          outbound: saved.outbound,
          news: { at: '2026-01-31T12:00:00.001Z', id: 8 },
        })
        expect(await createRedisCursor(client, { prefix, name: 'other' }).load()).toBeUndefined()
        await cursor.clear()
        expect(await cursor.load()).toBeUndefined()
      })

      it('lets reconcile go on where an earlier process ended', async () => {
        const bounces = [1, 2, 3].map((ID) => ({
          ...{ ID, Type: 'SMTPApiError', Email: 'a@example.com', MessageStream: 'outbound' },
          ...{ BouncedAt: `2026-01-0${ID}T00:00:00Z`, Details: 'x', DumpAvailable: false },
        }))
        const source: BounceClient = {
          getBounces: async () => ({ TotalCount: 3, Bounces: bounces.toReversed() }),
          getBounceDump: async () => ({ Body: '' }),
        }
        const cursor = createRedisCursor(client, next())
        const handled: unknown[] = []
        for (const most of [2, 9]) {
          const run = reconcile(source, { streams: ['outbound'], cursor: await cursor.load() })
          let left = most
          for await (const { raw } of run) {
            handled.push(raw.ID)
            await cursor.save(run.cursor)
            if (--left === 0) break
          }
        }
        expect(handled).toEqual([1, 2, 3])
      })
    })
  })
})

it.skipIf(skipped)('stores take a client that gives Buffers, or adds a prefix of its own', async () => {
  await using redis = await startRedis()
  const buffers = createClient6({ socket: { path: redis.path, tls: false }, RESP: 3 }).withTypeMapping({
    [RESP_TYPES.BLOB_STRING]: Buffer,
    [RESP_TYPES.NUMBER]: String,
  })
  await buffers.connect()
  const prefixed = new IoRedis6(redis.path, { keyPrefix: 'shop:' })
  for (const client of [buffers, prefixed] as RedisClient[]) {
    const store = createRedisSendOnce(client)
    const request = { owner: 'ann', leaseMs: 60_000, reference: 'r', fingerprint: 'f' }
    expect(await store.claim('a', request)).toBe('claimed')
    expect(await store.claim('a', { ...request, owner: 'bob' })).toMatchObject({ held: true })
    expect(await store.renew('a', 'ann', 60_000)).toBe(true)
    expect(await store.settle('a', 'ann', 'unknown')).toBe(true)
    for await (const { id, reference } of store.unknowns()) {
      expect(reference).toBe('r')
      expect(await store.resolve(id, 'sent', { messageId: 'm' })).toBe(true)
    }
    expect(await store.claim('a', request)).toMatchObject({ sent: true, resolution: { messageId: 'm' } })
    const suppressions = createRedisSuppressions(client)
    await suppressions.add({ address: 'ann@example.com', stream: 'outbound' })
    expect(await suppressions.find(['ann@example.com'], 'outbound')).toEqual(['ann@example.com'])
    const dedupe = createRedisDedupe(client)
    expect([await dedupe.claim('a', 1_000), await dedupe.claim('a', 1_000)]).toEqual(['new', 'busy'])
    const cursor = createRedisCursor(client)
    await cursor.save({ outbound: { at: '2026-01-31T12:00:00.000Z', id: 7 } })
    expect(await cursor.load()).toEqual({ outbound: { at: '2026-01-31T12:00:00.000Z', id: 7 } })
  }
  await buffers.close()
  await prefixed.quit()
})

it('a claim that Redis answers in an unknown way is none, and does not count as sent', async () => {
  const strange: RedisClient = { call: async () => [['granted']] }
  const request = { owner: 'ann', leaseMs: 60_000, reference: 'r', fingerprint: 'f' }
  await expect(createRedisSendOnce(strange).claim('a', request)).rejects.toThrow('with granted')
})

it.skipIf(skipped)(
  'loses no event when Redis is gone: it is handled without, and onError is told',
  async () => {
    const gone = await startRedis()
    const client = createClient6({ socket: { path: gone.path, tls: false, reconnectStrategy: false } })
    client.on('error', () => {})
    await client.connect()
    await gone.close()
    const handled: unknown[] = []
    const errors: unknown[] = []
    const handle = createWebhookHandler({
      auth: { header: { name: 'x-secret', value: SECRET } },
      dedupe: createRedisDedupe(client),
      on: { any: ({ kind }) => handled.push(kind) },
      onError: (error) => errors.push(error),
    })
    expect((await handle(toPost())).status).toBe(200)
    expect(handled).toEqual(['delivered'])
    expect(errors).toHaveLength(1)
    client.destroy()
  },
)

const SECRET = 'redis-5f1c9e0b'
function toPost(): Request {
  const body = { RecordType: 'Delivery', MessageID: 'd1f7', Recipient: 'ann@example.com' }
  const headers = { 'x-secret': SECRET }
  return new Request('http://localhost', { method: 'POST', headers, body: JSON.stringify(body) })
}

const fake: RedisClient = { call: async () => 1 }

it.each<[string, () => unknown, string]>([
  ['no client', () => createRedisSendOnce(undefined as never), 'client is'],
  ['what is no client', () => createRedisDedupe({} as never), 'client is'],
  ['braces in a prefix', () => createRedisDedupe(fake, { prefix: 'a{b}' }), 'prefix is "a{b}"'],
  ['an empty prefix', () => createRedisSuppressions(fake, { prefix: '' }), 'prefix is ""'],
  ['a ttl that is none', () => createRedisSendOnce(fake, { ttlMs: -1 }), 'ttlMs is'],
  ['replicas that are none', () => createRedisSendOnce(fake, { replicas: 0.5 }), 'replicas is'],
  ['an unknown option', () => createRedisDedupe(fake, { ttlMs: 1 } as object), 'Unknown option "ttlMs"'],
  ['a name that is none', () => createRedisCursor(fake, { name: '' }), 'name is ""'],
])('refuses %s', (_what, create, message) => {
  expect(create).toThrow(message)
})

it('tells an error of Redis from a script that Redis does not have', async () => {
  const store: SendOnceStore = createRedisSendOnce({
    call: () => Promise.reject(new Error('WRONGTYPE Operation against a key')),
  })
  await expect(store.renew('a', 'ann', 1_000)).rejects.toThrow('WRONGTYPE')
})
