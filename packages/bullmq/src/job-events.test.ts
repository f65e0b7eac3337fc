import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createMemorySendOnce, createPostmarkTransport, runWithPostmark } from '@postmark-smtp/core'
import type { TracedWork } from '@postmark-smtp/core/internal'
import { startSandbox } from '@postmark-smtp/sandbox'
import { redisMissing, startRedis } from '@postmark-smtp/testing'
import { expect, it } from 'vitest'
import { createMailQueue, createMailWorker, type EnqueueEvent, type JobEvent, toMailJob } from './index.js'

const missing = redisMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

const mail = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Hello', text: 'Thank you' }

it('a job has no trace where nobody listens, and none where whoever listens writes none', () => {
  expect(toMailJob(mail)).not.toHaveProperty('trace')
  const listener = () => {}
  subscribe('postmark-smtp:enqueue', listener)
  expect(toMailJob(mail)).not.toHaveProperty('trace')
  unsubscribe('postmark-smtp:enqueue', listener)
})

it.skipIf(skipped)(
  'a job carries what a subscriber wrote, and its email is sent in the context that another gives it',
  async () => {
    await using redis = await startRedis()
    const sandbox = await startSandbox()
    const requests = new AsyncLocalStorage<string>()
    const spans = new AsyncLocalStorage<string>()
    const ends: JobEvent[] = []
    const created: (string | undefined)[] = []
    const listeners: Record<string, (event: unknown) => void> = {
      'postmark-smtp:enqueue': (event) =>
        Object.assign((event as EnqueueEvent).trace, { traceparent: requests.getStore() }),
      'tracing:postmark-smtp:job:start': (event) => {
        const { trace, runIn } = event as JobEvent & TracedWork
        runIn((work) => spans.run(`job of ${trace.traceparent}`, work))
      },
      'tracing:postmark-smtp:job:asyncEnd': (event) => ends.push({ ...(event as JobEvent) }),
      'postmark-smtp:create': () => created.push(spans.getStore()),
    }
    for (const [name, listener] of Object.entries(listeners)) subscribe(name, listener)
    const connection = { path: redis.path, maxRetriesPerRequest: null }
    const sendOnce = createMemorySendOnce()
    const mails = createMailQueue({ connection })
    const transporter = createPostmarkTransport({ url: sandbox.url, sendOnce })
    const { worker, close } = createMailWorker({ connection, transporter, sendOnce })
    try {
      await requests.run('request 1', () => runWithPostmark({ tag: 'receipt' }, () => mails.add(mail)))
      await requests.run('request 2', () => mails.add({ ...mail, from: 'nobody' }, { attempts: 1 }))
      await expect.poll(() => ends.length, { timeout: 60_000 }).toBe(2)
      expect(created.sort()).toEqual(['job of request 1', 'job of request 2'])
      ends.sort((a, b) => a.trace.traceparent!.localeCompare(b.trace.traceparent!))
      expect(ends).toEqual([
        expect.objectContaining({ queue: 'postmark-mail', attempt: 1, outcome: 'sent' }),
        expect.objectContaining({ outcome: 'fail', code: 'ERR_POSTMARK_PREFLIGHT' }),
      ])
      expect(JSON.stringify(ends)).not.toMatch(/example\.com|Hello/)
    } finally {
      for (const [name, listener] of Object.entries(listeners)) unsubscribe(name, listener)
      worker.removeAllListeners()
      await close()
      await mails.close()
      await sandbox.close()
    }
  },
)
