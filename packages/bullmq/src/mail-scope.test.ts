import { AsyncLocalStorage } from 'node:async_hooks'
import {
  createMemorySendOnce,
  createPostmarkTransport,
  currentPostmark,
  runWithPostmark,
} from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import { redisMissing, size, startRedis } from '@postmark-smtp/testing'
import { Queue, Worker } from 'bullmq'
import { describe, expect, it } from 'vitest'
import { createMailProcessor, createMailQueue, createMailWorker, mailBackoff, toMailJob } from './index.js'

const missing = redisMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

const TENANTS = 50
const mail = { from: 'shop@example.com', to: 'ann@example.com', text: 'Thank you' }

describe.skipIf(skipped)('the scope of a job', () => {
  it('is that of the caller, of fifty tenants interleaved, in workers that were created inside requests', async () => {
    await using redis = await startRedis()
    const sandbox = await startSandbox()
    const connection = { path: redis.path, maxRetriesPerRequest: null }
    const sendOnce = createMemorySendOnce()
    const requests = new AsyncLocalStorage<string>()
    const seen = new Set<string | undefined>()
    const mails = createMailQueue({
      connection,
      correlationId: true,
      injectTrace: (c) => Object.assign(c, { traceparent: requests.getStore() }),
    })
    const traces = new Set<string | undefined>()
    const workers = [1, 2].map((n) =>
      requests.run(`request of worker ${n}`, () =>
        runWithPostmark({ tag: 'leak', metadata: { leak: 'leak' } }, () =>
          createMailWorker({
            connection,
            transporter: createPostmarkTransport({ url: sandbox.url, sendOnce }),
            sendOnce,
            withTrace: (carrier, work) => {
              seen.add(requests.getStore())
              traces.add(carrier.traceparent)
              return work()
            },
          }),
        ),
      ),
    )
    const each = size(100, 25)
    const adding = Array.from({ length: each * TENANTS }, (_, n) => {
      const tenant = String(n % TENANTS)
      return requests.run(`tenant ${tenant}`, () =>
        runWithPostmark({ tag: `tag-${tenant}`, metadata: { tenant } }, async () => {
          await new Promise(setImmediate)
          return await mails.add({ ...mail, subject: tenant })
        }),
      )
    })
    await Promise.all(adding)
    await expect.poll(() => sandbox.outbox.length, { timeout: 60_000 }).toBe(adding.length)
    const swapped = sandbox.outbox.filter(
      ({ subject, postmark }) => postmark.tag !== `tag-${subject}` || postmark.metadata?.tenant !== subject,
    )
    expect(swapped).toEqual([])
    const keys = new Set(sandbox.outbox.flatMap(({ postmark }) => Object.keys(postmark.metadata ?? {})))
    expect([...keys].sort()).toEqual(['correlation-id', 'send-once', 'tenant'])
    expect(new Set(sandbox.outbox.map(({ postmark }) => postmark.metadata?.['correlation-id'])).size).toBe(
      adding.length,
    )
    // Nothing of the requests in which the workers were created.
    expect([...seen]).toEqual([undefined])
    expect(traces.size).toBe(TENANTS)
    for (const { close } of workers) await close()
    await mails.close()
    await sandbox.close()
  })

  it('is clean in a Worker and a Queue of your own, too', async () => {
    await using redis = await startRedis()
    const sandbox = await startSandbox()
    const connection = { path: redis.path, maxRetriesPerRequest: null }
    const sendOnce = createMemorySendOnce()
    const transporter = createPostmarkTransport({ url: sandbox.url, sendOnce })
    const queue = new Queue('own', { connection, defaultJobOptions: { attempts: 3 } })
    const worker = runWithPostmark({ tag: 'leak' }, () => {
      const send = createMailProcessor({ transporter, sendOnce, queue })
      const settings = { backoffStrategy: mailBackoff }
      return new Worker('own', send, { connection, maxStalledCount: Number.POSITIVE_INFINITY, settings })
    })
    await queue.add('mail', toMailJob({ ...mail, subject: 'None' }), { backoff: { type: 'mail' } })
    const mails = createMailQueue({ queue })
    const job = await runWithPostmark({ tag: 'own' }, () => mails.add({ ...mail, subject: 'Own' }))
    expect(job.opts).toMatchObject({ attempts: 3, backoff: { type: 'mail' } })
    await expect.poll(() => sandbox.outbox.length, { timeout: 30_000 }).toBe(2)
    const tags = Object.fromEntries(sandbox.outbox.map(({ subject, postmark }) => [subject, postmark.tag]))
    expect(tags).toEqual({ None: undefined, Own: 'own' })
    expect(currentPostmark()).toBeUndefined()
    await worker.close()
    // The Queue is yours.
    await mails.close()
    expect(await queue.getFailedCount()).toBe(0)
    await queue.close()
    await transporter.close()
    await sandbox.close()
  })

  it.each([[false], [true]])(
    'is what requireScope asks for: a job that was made outside of any scope fails, also in a worker that was created inside one (correlationId: %s)',
    async (correlationId) => {
      await using redis = await startRedis()
      await using sandbox = await startSandbox()
      const connection = { path: redis.path, maxRetriesPerRequest: null }
      const sendOnce = createMemorySendOnce()
      const transporter = createPostmarkTransport({
        ...{ url: sandbox.url, sendOnce },
        requireScope: { metadata: 'tenant' },
      })
      const mails = createMailQueue({ connection, name: 'guarded', correlationId })
      const { worker, close } = runWithPostmark({ metadata: { tenant: 'leak' } }, () =>
        createMailWorker({ connection, name: 'guarded', transporter, sendOnce }),
      )
      const failed = new Promise<string>((resolve) => {
        worker.once('failed', (_job, error) => resolve(error.message))
      })
      const inScope = <R>(tenant: string, work: () => R) => runWithPostmark({ metadata: { tenant } }, work)
      await mails.add({ ...mail, subject: 'forgotten' })
      expect(await failed).toMatch(/^not-sent: .*\n {2}- context has no open scope/)
      const mixed = new Promise<string>((resolve) => {
        worker.once('failed', (_job, error) => resolve(error.message))
      })
      await inScope('acme', () => mails.add({ ...mail, postmark: { metadata: { tenant: 'umbrella' } } }))
      expect(await mixed).toMatch(/^not-sent: .*\n {2}- postmark\.metadata\.tenant differs from the value/)
      await inScope('acme', () => mails.add({ ...mail, subject: 'scoped' }))
      await expect.poll(() => sandbox.outbox.length, { timeout: 30_000 }).toBe(1)
      expect(sandbox.outbox[0]).toMatchObject({
        subject: 'scoped',
        postmark: { metadata: { tenant: 'acme' } },
      })
      expect(await mails.queue.getFailedCount()).toBe(2)
      await close()
      await mails.close()
    },
  )

  it.each<[object, string]>([
    [{ transporter: {} }, 'transporter is'],
    [{ sendOnce: undefined }, 'sendOnce is'],
    [{ queue: {} }, 'queue is'],
    [{ deadlineMs: Number.NaN }, 'deadlineMs is'],
    [{ lookup: {} }, 'Did you mean "lookUp"?'],
    [{ lookUp: { client: {}, streams: ['outbound'] } }, 'lookUp.client is'],
    [{ lookUp: { client: { getOutboundMessages() {} }, streams: [] } }, 'lookUp.streams is'],
    [
      { lookUp: { client: { getOutboundMessages() {} }, streams: ['outbound'], notFound: 'keep' } },
      'lookUp.notFound is',
    ],
  ])('a processor refuses the options %j', (wrong, text) => {
    const sendOnce = createMemorySendOnce()
    const transporter = createPostmarkTransport({ serverToken: '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11' })
    const queue = { rateLimit: async () => {}, pause: async () => {} }
    expect(() => createMailProcessor({ transporter, sendOnce, queue, ...wrong } as never)).toThrow(text)
  })

  it.each<[object, string]>([
    [{ connection: undefined }, 'connection is'],
    [{ concurrency: 0 }, 'concurrency is'],
    [{ queueName: 'a' }, 'Unknown option "queueName"'],
  ])('a worker refuses the options %j, and opens no connection', (wrong, text) => {
    const sendOnce = createMemorySendOnce()
    const transporter = createPostmarkTransport({ serverToken: '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11' })
    const options = { connection: { path: '/nowhere' }, transporter, sendOnce, ...wrong }
    expect(() => createMailWorker(options as never)).toThrow(text)
  })
})
