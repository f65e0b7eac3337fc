import { readFileSync } from 'node:fs'
import { type Redis, redisMissing, startRedis } from '@postmark-smtp/testing'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWebhookHandler, type DedupeStore } from './index.js'

// recipe
function redisDedupe(redis: { sendCommand(command: string[]): Promise<unknown> }): DedupeStore {
  const set = (key: string, state: string, forMs: number, ...flags: string[]) =>
    redis.sendCommand(['SET', `postmark-webhook:${key}`, state, 'PX', String(forMs), ...flags])
  return {
    async claim(key, leaseMs) {
      const state = await set(key, 'busy', leaseMs, 'NX', 'GET')
      return state === null ? 'new' : state === 'done' ? 'done' : 'busy'
    },
    confirm: (key, ttlMs) => set(key, 'done', ttlMs),
    release: (key) => redis.sendCommand(['DEL', `postmark-webhook:${key}`]),
  }
}
// end of the recipe

const missing = redisMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

it('is the recipe of docs/webhooks.md', () => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
  const [, recipe = ''] =
    /^\/\/ recipe\n([\s\S]*?)^\/\/ end of the recipe$/m.exec(read('redis-dedupe.test.ts')) ?? []
  expect(recipe).toContain('sendCommand')
  expect(read('../../../docs/webhooks.md')).toContain(recipe)
})

describe.skipIf(skipped)('a dedupe store on a real Redis', () => {
  let server: Redis
  let redis: ReturnType<typeof createClient>
  let store: DedupeStore
  beforeAll(async () => {
    server = await startRedis()
    redis = createClient({ socket: { path: server.path, tls: false } })
    await redis.connect()
    store = redisDedupe(redis)
  })
  afterAll(async () => {
    await redis?.close()
    await server?.close()
  })

  it('tells a new key from a busy one and from one that is done', async () => {
    expect(await store.claim('a', 60_000)).toBe('new')
    expect(await store.claim('a', 60_000)).toBe('busy')
    await store.confirm('a', 60_000)
    expect(await store.claim('a', 60_000)).toBe('done')
    expect(await store.claim('b', 60_000)).toBe('new')
    await store.release('b')
    expect(await store.claim('b', 60_000)).toBe('new')
  })

  it('lets Redis forget a claim and a handled event when their time is over', async () => {
    await store.claim('c', 60_000)
    expect(await redis.pTTL('postmark-webhook:c')).toBeGreaterThan(50_000)
    await store.confirm('c', 86_400_000)
    expect(await redis.pTTL('postmark-webhook:c')).toBeGreaterThan(86_000_000)
    await redis.pExpire('postmark-webhook:c', 0)
    expect(await store.claim('c', 60_000)).toBe('new')
  })

  it('gives a key to one of 200 that claim it at once, over two connections', async () => {
    const second = await redis.duplicate().connect()
    const stores = [store, redisDedupe(second)]
    const claims = await Promise.all(
      Array.from({ length: 200 }, (_, index) => stores[index % 2]!.claim('d', 60_000)),
    )
    await second.close()
    expect(claims.filter((claim) => claim === 'new')).toHaveLength(1)
    expect(claims.filter((claim) => claim === 'busy')).toHaveLength(199)
  })

  it('handles an event once over two processes, and again where the first failed', async () => {
    const second = await redis.duplicate().connect()
    const handled: string[] = []
    let fails = true
    const handlers = [store, redisDedupe(second)].map((dedupe, index) =>
      createWebhookHandler({
        auth: { header: { name: 'x-secret', value: SECRET } },
        dedupe,
        on: {
          delivered: () => {
            if (fails) throw new Error('no')
            handled.push(`process ${index}`)
          },
        },
        onError: () => {},
      }),
    )
    const post = async (index: number) => (await handlers[index]!(toPost())).status
    expect(await post(0)).toBe(500)
    fails = false
    expect(await post(1)).toBe(200)
    expect(await post(0)).toBe(200)
    expect(handled).toEqual(['process 1'])
    await second.close()
  })

  it('loses no event when Redis is gone: it is handled without, and onError is told', async () => {
    const gone = await startRedis()
    const client = createClient({ socket: { path: gone.path, tls: false, reconnectStrategy: false } })
    client.on('error', () => {})
    await client.connect()
    await gone.close()
    const handled: unknown[] = []
    const errors: unknown[] = []
    const handle = createWebhookHandler({
      auth: { header: { name: 'x-secret', value: SECRET } },
      dedupe: redisDedupe(client),
      on: { any: ({ kind }) => handled.push(kind) },
      onError: (error) => errors.push(error),
    })
    expect((await handle(toPost())).status).toBe(200)
    expect(handled).toEqual(['delivered'])
    expect(errors).toHaveLength(1)
    client.destroy()
  })
})

const SECRET = 'recipe-5f1c9e0b'
function toPost(): Request {
  const body = { RecordType: 'Delivery', MessageID: 'd1f7', Recipient: 'ann@example.com' }
  return new Request('http://localhost', {
    method: 'POST',
    headers: { 'x-secret': SECRET },
    body: JSON.stringify({ ...body, DeliveredAt: '2026-02-03T04:05:06.7891234Z' }),
  })
}
