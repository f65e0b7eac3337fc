import {
  createPostmarkTransport,
  type PostmarkTransportOptions,
  type SendOnceStore,
} from '@postmark-smtp/core'
import { createRedisSendOnce } from '@postmark-smtp/redis'
import { type SandboxOptions, startSandbox } from '@postmark-smtp/sandbox'
import { type Redis, redisMissing, startRedis } from '@postmark-smtp/testing'
import type { Job } from 'bullmq'
import { Redis as IoRedis } from 'ioredis'
import { ServerClient } from 'postmark'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type AddMailOptions,
  createMailQueue,
  createMailWorker,
  type LookUpOptions,
  type MailJob,
  type MailJobResult,
  type MailWorkerOptions,
} from './index.js'

declare global {
  /** The types of the official client name it, and Node's have none. */
  type RequestInfo = string | URL | Request
}

const missing = redisMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

const mail = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Receipt', text: 'Thank you' }
let redis: Redis
const cleanup: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})
let queues = 0
const WAIT = { timeout: 30_000 }

interface StartOptions {
  readonly sandbox?: SandboxOptions
  readonly transport?: Partial<PostmarkTransportOptions>
  readonly worker?: Partial<MailWorkerOptions>
  readonly lookUp?: Omit<LookUpOptions, 'client' | 'streams'>
  readonly leaseMs?: number
}

/** An application: queue, worker, transporter, store, and a sandbox as the server. */
async function start({
  sandbox: faulty,
  transport,
  worker: more,
  lookUp,
  leaseMs = 2_000,
}: StartOptions = {}) {
  const name = `mail-${++queues}`
  const sandbox = await startSandbox(faulty)
  cleanup.push(sandbox.close)
  const client = new IoRedis({ path: redis.path, maxRetriesPerRequest: 1 })
  cleanup.push(() => client.quit())
  const connection = { path: redis.path, maxRetriesPerRequest: null }
  const store: SendOnceStore = createRedisSendOnce(client, { prefix: name })
  const mails = createMailQueue({ connection, name })
  cleanup.push(mails.close)
  const api = new ServerClient(sandbox.token, { requestHost: sandbox.apiHost, useHttps: false })
  const open = () => {
    const { host, port, ca, token } = sandbox
    const transporter = createPostmarkTransport({
      ...{ serverToken: token, host, ports: [port], tls: { ca } },
      sendOnce: { store, leaseMs },
      // The pause of the transporter doubles with each failure, too.
      retry: { attempts: 1, baseMs: 20 },
      ...transport,
    } as PostmarkTransportOptions)
    const worker = createMailWorker({
      ...{ connection, name, transporter, sendOnce: store, slowMs: 50 },
      ...(lookUp ? { lookUp: { client: api, streams: ['outbound'], everyMs: 100, ...lookUp } } : {}),
      ...more,
      worker: { settings: { backoffStrategy: () => 50 }, ...more?.worker },
    })
    cleanup.push(() => worker.close({ deadlineMs: 1_000 }))
    return worker
  }
  const worker = open()
  /** Waits until a job is through. */
  const end = (job: Job<MailJob, MailJobResult, string>) =>
    new Promise<Job<MailJob, MailJobResult, string>>((resolve) => {
      const look = async () => {
        const [now, state] = await Promise.all([mails.queue.getJob(job.id!), job.getState()])
        if (state === 'completed' || state === 'failed') resolve(now!)
        else setTimeout(look, 20)
      }
      void look()
    })
  const send = async (message: object = {}, options?: AddMailOptions) =>
    await end(await mails.add({ ...mail, ...message }, options))
  return { sandbox, store, mails, worker, end, send, open, client, name }
}

/** Lets a fault strike on each connection until it is lifted. */
function untilLifted(
  fault: Exclude<Parameters<Awaited<ReturnType<typeof startSandbox>>['fail']>[0], undefined>,
) {
  let lifted = false
  return {
    faults: () => (lifted ? undefined : fault),
    lift: () => {
      lifted = true
    },
  }
}

describe.skipIf(skipped)('an email as a job', () => {
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(async () => {
    await redis?.close()
  })

  it('is sent, and the job is completed with the info of sendMail', async () => {
    const { sandbox, send } = await start()
    const job = await send({}, { idempotencyKey: 'receipt-1' })
    expect(sandbox.outbox).toHaveLength(1)
    expect(await job.getState()).toBe('completed')
    expect(job.returnvalue).toMatchObject({
      messageId: expect.stringContaining('@'),
      accepted: ['ann@example.com'],
      rejected: [],
      response: expect.stringContaining('250'),
      postmark: { attempts: 1, warnings: [] },
    })
  })

  it('is sent once where its key is added twice, at once or later', async () => {
    const { sandbox, mails, send, end } = await start()
    const [first, second] = await Promise.all([
      mails.add(mail, { idempotencyKey: 'a' }),
      mails.add(mail, { idempotencyKey: 'a' }),
    ])
    expect(second.id).toBe(first.id)
    await end(first)
    const later = await send({}, { idempotencyKey: 'a' })
    expect(later.id).not.toBe(first.id)
    expect(later.returnvalue?.postmark.duplicate).toBe(true)
    expect(sandbox.outbox).toHaveLength(1)
  })

  it('is one email where its job runs twice, whoever gave it a key', async () => {
    const { sandbox, mails, send, end } = await start()
    const job = await send()
    const again = await mails.queue.add('mail', job.data)
    expect((await end(again)).returnvalue?.postmark.duplicate).toBe(true)
    expect(sandbox.outbox).toHaveLength(1)
  })

  it.each<[string, SandboxOptions, object]>([
    ['the server refuses', { faults: () => ({ phase: 'dot', kind: 'reply', code: 554 }) }, {}],
    ['preflight refuses', {}, { postmark: { metadata: { key: 'x'.repeat(200) } } }],
  ])('that %s is failed at once and kept', async (_what, sandbox, message) => {
    const { send, mails } = await start({ sandbox })
    const job = await send(message)
    expect(job).toMatchObject({
      attemptsMade: 1,
      failedReason: expect.stringMatching(/^(rejected|not-sent): /),
    })
    expect(await mails.queue.getFailedCount()).toBe(1)
  })

  it.each<[string, SandboxOptions]>([
    [
      'a recipient is deferred',
      { faults: (n, m) => (n + m < 2 ? { phase: 'rcpt', kind: 'reply', code: 450 } : undefined) },
    ],
    [
      'the body is deferred',
      { faults: (n) => (n < 2 ? { phase: 'dot', kind: 'reply', code: 451, close: true } : undefined) },
    ],
    [
      'the connection is lost before the body',
      { faults: (n) => (n < 2 ? { phase: 'mail', kind: 'cut' } : undefined) },
    ],
  ])('is tried again by the backoff of its job where %s, and the attempts count', async (_what, sandbox) => {
    const { send, sandbox: server } = await start({ sandbox })
    const job = await send()
    expect(await job.getState()).toBe('completed')
    expect(job.attemptsMade).toBeGreaterThanOrEqual(2)
    expect(server.outbox).toHaveLength(1)
  })

  it('with a recipient that stays deferred does not hold up the others', async () => {
    const { mails, end, send } = await start({
      worker: { worker: { settings: { backoffStrategy: () => 600_000 } } },
      sandbox: { faults: (n, m) => (n + m === 0 ? { phase: 'rcpt', kind: 'reply', code: 450 } : undefined) },
    })
    const stuck = await mails.add(mail)
    await expect.poll(() => stuck.getState(), WAIT).toBe('delayed')
    const others = await Promise.all(Array.from({ length: 5 }, () => mails.add(mail)))
    expect(await send()).toMatchObject({ returnvalue: {} })
    for (const job of others) await end(job)
    expect(await stuck.getState()).toBe('delayed')
  })

  it.each<[string, Parameters<typeof untilLifted>[0]]>([
    ['421 at the greeting', { phase: 'greeting', kind: 'reply', code: 421 }],
    ['a login that is refused for now', { phase: 'auth', kind: 'reply', code: 454 }],
    ['421 to MAIL', { phase: 'mail', kind: 'reply', code: 421 }],
    ['451 to MAIL', { phase: 'mail', kind: 'reply', code: 451 }],
    ['421 after the body', { phase: 'dot', kind: 'reply', code: 421 }],
  ])('meets %s: the queue rests, and no attempt is counted', async (_what, fault) => {
    const { faults, lift } = untilLifted(fault)
    const { mails, end, sandbox } = await start({ sandbox: { faults } })
    const jobs = await Promise.all(Array.from({ length: 5 }, () => mails.add(mail, { attempts: 2 })))
    await expect.poll(() => mails.queue.getRateLimitTtl(1), WAIT).toBeGreaterThan(0)
    await expect
      .poll(
        async () =>
          Math.max(
            ...(await Promise.all(jobs.map(({ id }) => mails.queue.getJob(id!)))).map(
              (job) => job!.attemptsStarted,
            ),
          ),
        WAIT,
      )
      .toBeGreaterThan(2)
    lift()
    for (const job of jobs) expect(await end(job)).toMatchObject({ attemptsMade: 1, returnvalue: {} })
    expect(sandbox.outbox).toHaveLength(5)
  })

  it('waits for such a server until its deadline', async () => {
    const { send } = await start({
      sandbox: { faults: () => ({ phase: 'greeting', kind: 'reply', code: 421 }) },
    })
    const job = await send({}, { deadlineMs: 200 })
    expect(job.failedReason).toMatch(/^\S+: .*The deadline of the job has passed\.$/s)
    expect(job.attemptsMade).toBe(1)
  })

  it.each<[string, Parameters<typeof untilLifted>[0] | undefined, Partial<PostmarkTransportOptions>]>([
    ['a refused login', { phase: 'auth', kind: 'reply', code: 535 }, {}],
    ['a certificate that nobody vouches for', { phase: 'tls', kind: 'certificate' }, {}],
    ['a transporter without a store', undefined, { sendOnce: undefined }],
  ])(
    'meets %s: the queue is paused and told, and the jobs keep their attempts',
    async (what, fault, transport) => {
      const { faults, lift } = fault ? untilLifted(fault) : { faults: () => undefined, lift: () => {} }
      const told: Error[] = []
      const { mails, end, sandbox } = await start({
        sandbox: { faults },
        transport,
        worker: { onPause: (error) => told.push(error) },
      })
      const jobs = await Promise.all(Array.from({ length: 5 }, () => mails.add(mail)))
      await expect.poll(() => mails.queue.isPaused(), WAIT).toBe(true)
      await expect.poll(() => mails.queue.getActiveCount(), WAIT).toBe(0)
      expect(told[0]).toBeInstanceOf(Error)
      expect(sandbox.outbox).toHaveLength(0)
      if (what === 'a transporter without a store') return
      lift()
      await mails.queue.resume()
      for (const job of jobs) expect(await end(job)).toMatchObject({ attemptsMade: 1, returnvalue: {} })
      expect(sandbox.outbox).toHaveLength(5)
    },
  )

  describe('of unknown outcome', () => {
    const lost = (accepted: boolean): SandboxOptions => ({
      faults: (n) => (n === 0 ? { phase: 'dot', kind: 'cut', accepted } : undefined),
      searchDelayMs: 300,
    })
    const lookUp = { waitMs: 3_000 }

    it('that Postmark took is found there, and the job is completed without a second email', async () => {
      const { send, sandbox } = await start({ sandbox: lost(true), lookUp })
      const job = await send()
      expect(job).toMatchObject({ attemptsMade: 1, returnvalue: { postmark: { duplicate: true } } })
      expect(job.returnvalue?.postmark.postmarkMessageId).toBe(sandbox.outbox[0]?.messageId)
      expect(sandbox.outbox).toHaveLength(1)
    })

    it('that never arrived is sent again once "not found" may be trusted', async () => {
      // There is nothing to be found, so it need not be long.
      const { send, sandbox } = await start({ sandbox: lost(false), lookUp: { waitMs: 500 } })
      const job = await send()
      expect(job.returnvalue?.postmark.duplicate).toBeUndefined()
      expect(sandbox.outbox).toHaveLength(1)
    })

    it.each<[string, StartOptions['lookUp']]>([
      ['nobody asks Postmark', undefined],
      ['it is not to be repeated', { waitMs: 500, notFound: 'fail' }],
      ['Postmark does not say for too long', { waitMs: 600_000, giveUpMs: 500 }],
    ])('is kept in failed as unknown where %s', async (_what, options) => {
      const { send, sandbox } = await start({ sandbox: lost(false), ...(options ? { lookUp: options } : {}) })
      expect((await send()).failedReason).toMatch(/^unknown: /)
      expect(sandbox.outbox).toHaveLength(0)
    })

    it('that Postmark refused after its 250 fails with the error code', async () => {
      const { send, sandbox } = await start({ sandbox: lost(true), lookUp })
      sandbox.suppress('ann@example.com')
      expect((await send()).failedReason).toContain('with error code 406')
    })
  })

  it('whose worker crashed too often is given up, unless it was handed to a server before', async () => {
    const { mails, end, send, client, name, sandbox, worker } = await start({ worker: { maxCrashes: 2 } })
    const sent = await send()
    await worker.worker.pause()
    const jobs = [await mails.add(mail), await mails.queue.add('mail', sent.data)]
    for (const { id } of jobs) await client.hset(`bull:${name}:${id}`, 'stc', 3)
    await worker.worker.resume()
    const [given, done] = await Promise.all(jobs.map(end))
    expect(given?.failedReason).toBe(
      'not-sent: Its worker crashed or lost the job 3 times, and the email was never sent.',
    )
    expect(done?.returnvalue?.postmark.duplicate).toBe(true)
    expect(sandbox.outbox).toHaveLength(1)
  })

  it('is not repeated by a schedule, whose emails would all have one key', async () => {
    const { mails } = await start()
    const options = { repeat: { every: 1_000 } } as AddMailOptions
    await expect(mails.add(mail, options)).rejects.toThrow('repeat is an object; it must be left out')
  })

  it('of a bulk is sent as any other, and no email of a bulk is added where one is refused', async () => {
    const { mails, end, sandbox } = await start()
    const jobs = await mails.addBulk([{ message: mail }, { message: mail, options: { priority: 2 } }])
    for (const job of jobs) expect(await end(job)).toMatchObject({ returnvalue: {} })
    const wrong = { ...mail, text: Symbol('a') as never }
    await expect(mails.addBulk([{ message: mail }, { message: wrong }])).rejects.toThrow(
      'message.text is a symbol',
    )
    expect(sandbox.outbox).toHaveLength(2)
    expect(await mails.queue.getJobCountByTypes('waiting', 'active', 'prioritized')).toBe(0)
  })

  it('that toMailJob did not make fails immediately', async () => {
    const { mails, end } = await start()
    const job = await mails.queue.add('mail', { to: 'ann' } as never)
    expect((await end(job)).failedReason).toContain('was not made by toMailJob')
  })

  it('goes back to the queue when its worker closes before it was sent, and the next worker sends it', async () => {
    let stalled = true
    const { mails, worker, end, open, sandbox } = await start({
      sandbox: { faults: () => (stalled ? { phase: 'mail', kind: 'stall' } : undefined) },
    })
    const jobs = await Promise.all(Array.from({ length: 30 }, () => mails.add(mail)))
    await expect.poll(() => mails.queue.getActiveCount(), WAIT).toBe(30)
    await worker.close({ deadlineMs: 100 })
    expect(await mails.queue.getJobCounts('active', 'waiting', 'failed')).toMatchObject({
      active: 0,
      waiting: 30,
      failed: 0,
    })
    // None of them has used up an attempt.
    for (const { attemptsMade } of await mails.queue.getWaiting()) expect(attemptsMade).toBe(0)
    stalled = false
    open()
    for (const job of jobs) expect(await end(job)).toMatchObject({ returnvalue: {} })
    expect(sandbox.outbox).toHaveLength(30)
  })

  it('that is under way when its worker closes is sent first', async () => {
    let asked = false
    const { mails, worker, sandbox } = await start({
      sandbox: {
        faults: () => {
          asked = true
          return { phase: 'dot', kind: 'delay', ms: 200 }
        },
      },
    })
    const job = await mails.add(mail)
    await expect.poll(() => asked, WAIT).toBe(true)
    await worker.close()
    expect(await job.getState()).toBe('completed')
    expect(sandbox.outbox).toHaveLength(1)
  })
})
