import { fork } from 'node:child_process'
import { once } from 'node:events'
import { startSandbox } from '@postmark-smtp/sandbox'
import { redisMissing, size, startRedis } from '@postmark-smtp/testing'
import { Redis as IoRedis } from 'ioredis'
import { expect, it } from 'vitest'
import { createMailQueue } from './index.js'

const missing = redisMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

const JOBS = size(20_000, 10, 100_000)
const STEPS = 10
/** Before these the caches fill, and code is compiled. */
const WARM_UP_STEPS = 3
/** Less than anything that is kept of an email; and what the heap of a process varies by, spread over the jobs. */
const MOST_BYTES_PER_JOB = 30 + 1_500_000 / JOBS
/** `removeOnComplete` of createMailQueue. */
const KEPT_JOBS = 1_000

// The process runs the built packages, with the BullMQ of the root.
it.skipIf(skipped || process.env.BULLMQ)(
  `the memory of a worker does not grow with its jobs: ${JOBS} of them`,
  async () => {
    await using redis = await startRedis()
    await using sandbox = await startSandbox({ keep: { mails: 100 } })
    const mails = createMailQueue({ connection: { path: redis.path, maxRetriesPerRequest: null } })
    const client = new IoRedis(redis.path)
    const options = JSON.stringify({ path: redis.path, url: sandbox.url })
    const child = fork(new URL('./memory-worker.mjs', import.meta.url), [options], {
      execArgv: ['--expose-gc'],
    })
    const held: number[] = []
    const used: number[] = []
    const step = JOBS / STEPS
    for (let done = step; done <= JOBS; done += step) {
      for (let left = step; left > 0; left -= 500) await mails.addBulk(bulk(Math.min(500, left)))
      child.send(done)
      const [bytes] = (await Promise.race([
        once(child, 'message'),
        once(child, 'exit').then(() => Promise.reject(new Error('The worker ended'))),
      ])) as [number]
      held.push(bytes)
      used.push(Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]))
    }
    const perJob = slope(held.slice(WARM_UP_STEPS)) / step
    const redisPerJob = slope(used.slice(WARM_UP_STEPS)) / step
    const inMb = held.map((bytes) => (bytes / 1e6).toFixed(1)).join(', ')
    console.info(
      `${JOBS} jobs: the worker holds ${inMb} MB after each tenth, ${perJob.toFixed(1)} bytes a job; ` +
        `Redis ${redisPerJob.toFixed(0)} bytes a job`,
    )
    expect(perJob).toBeLessThan(MOST_BYTES_PER_JOB)
    expect(await mails.queue.getCompletedCount()).toBeLessThanOrEqual(KEPT_JOBS)
    expect(await mails.queue.getFailedCount()).toBe(0)
    const ended = once(child, 'exit')
    child.disconnect()
    await ended
    await mails.close()
    await client.quit()
  },
)

function bulk(count: number) {
  const message = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Receipt', text: 'Thank you' }
  return Array.from({ length: count }, () => ({ message }))
}

/** Of the line that fits best (least squares). */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const over = values.reduce((sum, value, place) => sum + (place - middle) * (value - mean), 0)
  return over / values.reduce((sum, _, place) => sum + (place - middle) ** 2, 0)
}
