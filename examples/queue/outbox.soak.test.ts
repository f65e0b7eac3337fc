import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import {
  createPostmarkTransport,
  createSuppressionList,
  type PostmarkTransportOptions,
  runWithPostmark,
} from '@postmark-smtp/core'
import { createRedisSendOnce } from '@postmark-smtp/redis'
import { type SandboxOptions, startSandbox } from '@postmark-smtp/sandbox'
import {
  type Postgres,
  postgresMissing,
  type Redis,
  redisMissing,
  size,
  startPostgres,
  startRedis,
  startSmtpServer,
} from '@postmark-smtp/testing'
import { resolveUnknown } from '@postmark-smtp/webhooks'
import { Redis as IoRedis } from 'ioredis'
import { Pool } from 'pg'
import { ServerClient } from 'postmark'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { addMail, sendNext } from './outbox.js'

const missing = [postgresMissing(), redisMissing()].filter((why) => why !== undefined)
const skipped = missing.length > 0 && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing.join('; ')}`)

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const mail = { from: 'shop@example.com', to: 'ann@example.com', text: 'Thank you' }
const SEARCH_DELAY_MS = 300
const LEASE_MS = 1_000
/** Covers the lease, the search delay and a busy machine. */
const WAIT_MS = 3_000

it('docs/queues.md shows the table and the code that are tested here', () => {
  const document = read('../../docs/queues.md')
  expect(document).toContain(`\`\`\`sql\n${read('outbox.sql')}\`\`\``)
  expect(document).toContain(`\`\`\`ts\n${read('outbox.ts')}\`\`\``)
})

describe.skipIf(skipped)('the outbox', () => {
  let postgres: Postgres
  let redis: Redis
  let client: IoRedis
  let pool: Pool
  const cleanup: (() => Promise<unknown>)[] = []
  beforeAll(async () => {
    ;[postgres, redis] = await Promise.all([startPostgres(), startRedis()])
    pool = new Pool({ connectionString: postgres.connectionString })
    client = new IoRedis(redis.path)
  })
  afterAll(async () => {
    await pool?.end()
    await client?.quit()
    await Promise.all([postgres?.close(), redis?.close()])
  })
  beforeEach(async () => {
    await pool.query('DROP TABLE IF EXISTS mail_outbox')
    await pool.query(read('outbox.sql'))
  })
  afterEach(async () => {
    for (const close of cleanup.splice(0).reverse()) await close()
  })

  const start = async (options?: SandboxOptions, more?: Partial<PostmarkTransportOptions>) => {
    const sandbox = await startSandbox({ searchDelayMs: SEARCH_DELAY_MS, ...options })
    cleanup.push(sandbox.close)
    const sendOnce = createRedisSendOnce(client)
    const settings = { url: sandbox.url, sendOnce, retry: { attempts: 1 }, ...more }
    const transporter = createPostmarkTransport(settings as PostmarkTransportOptions)
    cleanup.push(transporter.close)
    return { sandbox, sendOnce, transporter }
  }
  const add = async (subject: string, more?: object) => {
    const db = await pool.connect()
    await addMail(db, { ...mail, subject, ...more })
    db.release()
  }
  const rows = async () =>
    (await pool.query('SELECT attempts, due_at > now() AS waits, ended_at, failure FROM mail_outbox')).rows

  it('has an email if and only if the transaction of its order is committed, and sends it with its scope', async () => {
    const { sandbox, transporter } = await start()
    for (const [end, subject] of [
      ['ROLLBACK', 'Never'],
      ['COMMIT', 'Order 7'],
    ] as const) {
      const db = await pool.connect()
      await db.query('BEGIN')
      await runWithPostmark({ tag: 'order', metadata: { tenant: 'acme' } }, () =>
        addMail(db, { ...mail, subject }),
      )
      await db.query(end)
      db.release()
    }
    const sending = runWithPostmark({ tag: 'leak' }, () => sendNext(pool, transporter))
    expect(await sending).toBe(true)
    expect(await sendNext(pool, transporter)).toBe(false)
    expect(sandbox.outbox).toMatchObject([
      { subject: 'Order 7', postmark: { tag: 'order', metadata: { tenant: 'acme' } } },
    ])
  })

  it('sends each email once, from whichever process asks for the next one', async () => {
    const { sandbox, transporter } = await start()
    for (let n = 0; n < 60; n++) await add(`Mail ${n}`)
    const second = new Pool({ connectionString: postgres.connectionString })
    cleanup.push(() => second.end())
    const work = async (from: Pool) => {
      while (await sendNext(from, transporter));
    }
    await Promise.all([pool, second].flatMap((from) => Array.from({ length: 5 }, () => work(from))))
    expect(new Set(sandbox.outbox.map(({ subject }) => subject)).size).toBe(60)
    expect(sandbox.outbox).toHaveLength(60)
  })

  it.each<[string, SandboxOptions, object, object]>([
    [
      'refuses is not sent again',
      { faults: () => ({ phase: 'dot', kind: 'reply', code: 554 }) },
      {},
      { attempts: 0, ended_at: expect.any(Date), failure: expect.stringContaining('554') },
    ],
    [
      'would refuse is not sent again',
      {},
      { postmark: { metadata: { key: 'x'.repeat(200) } } },
      { attempts: 0, ended_at: expect.any(Date), failure: expect.stringContaining('metadata') },
    ],
    [
      'would send to nobody is not sent again',
      {},
      { to: undefined },
      { attempts: 0, ended_at: expect.any(Date), failure: expect.stringContaining('no recipient') },
    ],
    [
      'defers waits for its next attempt',
      { faults: () => ({ phase: 'dot', kind: 'reply', code: 451 }) },
      {},
      { attempts: 1, waits: true, ended_at: null, failure: expect.stringContaining('451') },
    ],
  ])('records the reason: an email that the server %s', async (_what, options, message, row) => {
    const { transporter } = await start(options)
    await add('Order 7', message)
    expect(await sendNext(pool, transporter)).toBe(true)
    expect(await sendNext(pool, transporter)).toBe(false)
    expect(await rows()).toMatchObject([row])
  })

  it('records the recipients that an email did not go to', async () => {
    const suppressions = createSuppressionList()
    suppressions.add({ address: 'ann@example.com', stream: 'outbound' })
    const { transporter, sendOnce } = await start({}, { suppressions, suppressed: 'skip' })
    await add('To nobody')
    expect(await sendNext(pool, transporter)).toBe(true)
    const server = await startSmtpServer({
      onRcpt: (address) =>
        address.startsWith('bob') ? Object.assign(new Error('No'), { responseCode: 550 }) : undefined,
    })
    cleanup.push(server.close)
    const { host, port, ca } = server
    const serverToken = 'a-token-of-this-test'
    const other = createPostmarkTransport({ serverToken, host, ports: [port], tls: { ca }, sendOnce })
    cleanup.push(other.close)
    await add('To some', { to: ['ann@example.com', 'bob@example.com'] })
    expect(await sendNext(pool, other)).toBe(true)
    const ended = (failure: string) => ({ attempts: 0, ended_at: expect.any(Date), failure })
    expect(await rows()).toMatchObject([
      ended('suppressed: ann@example.com'),
      ended('refused: bob@example.com'),
    ])
  })

  it('keeps its emails if the transporter has no store', async () => {
    const { transporter } = await start({}, { sendOnce: undefined })
    await add('Later')
    expect(await sendNext(pool, transporter)).toBe(true)
    expect(await rows()).toMatchObject([
      { attempts: 1, waits: true, ended_at: null, failure: expect.stringContaining('sendOnce') },
    ])
  })

  it('waits from the end of an attempt, however long it took', async () => {
    const { transporter } = await start({ faults: () => ({ phase: 'dot', kind: 'reply', code: 451 }) })
    await add('Slow')
    let failsAt: unknown
    const slow = {
      sendMail: async (message: object) => {
        await pool.query('SELECT pg_sleep(0.01)')
        failsAt = (await pool.query('SELECT clock_timestamp()::text AS now')).rows[0].now
        return transporter.sendMail(message)
      },
    } as typeof transporter
    expect(await sendNext(pool, slow)).toBe(true)
    const due = "SELECT due_at > $1::timestamptz + interval '30 seconds' AS late FROM mail_outbox"
    expect((await pool.query(due, [failsAt])).rows).toEqual([{ late: true }])
  })

  it('keeps an email whose connection to Postgres is lost after it was sent, and does not send it again', async () => {
    const { sandbox, transporter } = await start()
    await add('Once')
    const lost = new Pool({ connectionString: postgres.connectionString })
    lost.on('error', () => {})
    cleanup.push(() => lost.end())
    const cutting = {
      sendMail: async (message: object) => {
        const info = await transporter.sendMail(message)
        await pool.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'",
        )
        return info
      },
    } as typeof transporter
    await expect(sendNext(lost, cutting)).rejects.toThrow()
    await expect.poll(() => sendNext(pool, transporter)).toBe(true)
    expect(await rows()).toMatchObject([{ attempts: 0, ended_at: expect.any(Date), failure: null }])
    expect(sandbox.outbox).toHaveLength(1)
  })

  it('sends each email once, and loses none, even if its processes are killed at every point', async () => {
    const each = size(10, 10)
    let stalls = false
    const stalled = { at: (): void => {} }
    const { sandbox, sendOnce, transporter } = await start({
      faults: () => {
        if (!stalls) return undefined
        stalled.at()
        return { phase: 'data', kind: 'stall' }
      },
    })
    const { url, token, apiHost } = sandbox
    const points = Array.from({ length: each }, () => ['data', 'settle', 'mark']).flat()
    for (let n = 0; n < points.length + 5; n++) await add(`Mail ${n}`)
    for (const stopAt of points) {
      stalls = stopAt === 'data'
      const there = new Promise<void>((resolve) => {
        stalled.at = resolve
      })
      const options = { connectionString: postgres.connectionString, redisPath: redis.path, url }
      const child = fork(new URL('./outbox-process.mjs', import.meta.url), [
        JSON.stringify({ ...options, leaseMs: LEASE_MS, stopAt }),
      ])
      await (stopAt === 'data' ? there : once(child, 'message'))
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
    stalls = false
    const postmark = new ServerClient(token, { requestHost: apiHost, useHttps: false })
    const left = async () => {
      await pool.query('UPDATE mail_outbox SET due_at = now() WHERE ended_at IS NULL')
      while (await sendNext(pool, transporter));
      await resolveUnknown(sendOnce, postmark, { streams: ['outbound'], waitMs: WAIT_MS })
      return (await rows()).filter(({ ended_at }) => ended_at === null).length
    }
    await expect.poll(left, { timeout: 60_000, interval: 200 }).toBe(0)
    const subjects = sandbox.outbox.map(({ subject }) => subject)
    expect(subjects).toHaveLength(points.length + 5)
    expect(new Set(subjects).size).toBe(points.length + 5)
  })
})
