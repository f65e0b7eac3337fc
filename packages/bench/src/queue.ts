import { createMailQueue, createMailWorker } from '@postmark-smtp/bullmq'
import { createRedisSendOnce } from '@postmark-smtp/redis'
import { type Redis, redisMissing, startRedis } from '@postmark-smtp/testing'
import { Queue, Worker } from 'bullmq'
import { Redis as IoRedis } from 'ioredis'
import { type Goal, judge } from './goal.js'
import { countOf, measure } from './measure.js'
import { oneLine } from './messages.js'
import type { Section } from './section.js'
import { CONNECTIONS, ours, plain, type Target } from './senders.js'
import { ROUND_TRIP_MS } from './sink-ports.js'
import type { Sink } from './start-sink.js'

/** Jobs that a worker has under way; the default of `createMailWorker`. */
const CONCURRENCY = 4 * CONNECTIONS
/** The default of `createMailQueue`, for all contenders: without it Redis would fill up. */
const KEPT = { removeOnComplete: { age: 86_400, count: 1_000 } }

/** A queue and its worker. */
interface Line {
  /** Puts so many emails into the queue at once; resolves when all were sent. */
  send(count: number): Promise<void>
  close(): Promise<unknown>
}

/**
 * Jobs a second through `createMailQueue` and `createMailWorker`, which claim and settle each email on Redis, against a
 * worker as people write it themselves, on Nodemailer's pool. If Redis is missing, a line says so.
 */
export async function measureQueue(sink: Sink, isShort: boolean): Promise<Section[]> {
  const missing = redisMissing()
  if (missing !== undefined) {
    process.stdout.write(`\nThe queue is skipped. ${missing}\n`)
    return []
  }
  const { near, far, cert } = sink
  await using redis = await startRedis()
  const part = isShort ? 0.4 : 1
  return [
    await measureCase(sink, redis, 'loopback', { port: near, cert }, 500, Math.ceil(15 * part), 1),
    await measureCase(
      ...([sink, redis, `${ROUND_TRIP_MS} ms round trip to the server`] as const),
      { port: far, cert },
      ...([400, Math.ceil(4 * part), 1.5] as const),
    ),
  ]
}

async function measureCase(
  sink: Sink,
  redis: Redis,
  where: string,
  target: Target,
  perBatch: number,
  rounds: number,
  limit: number,
): Promise<Section> {
  await sink.countMails()
  const makers = [
    ['BullMQ and plain Nodemailer', openPlain],
    ['createMailQueue and createMailWorker', openOurs],
    ['BullMQ and plain Nodemailer again', openPlain],
  ] as const
  const lines = makers.map(([name, open], index) => ({
    name,
    line: open(redis, `${where} ${index}`, target),
  }))
  const settings = { rounds, perRound: 1, concurrency: 1, warmUp: 2 }
  const results = await measure(
    lines.map(({ name, line }) => ({ name, send: () => line.send(perBatch) })),
    settings,
  )
  for (const { line } of lines) await line.close()
  const sent = lines.length * countOf(settings) * perBatch
  const taken = await sink.countMails()
  if (taken !== sent) throw new Error(`${sent} emails were sent, but the sink took ${taken} (queue)`)
  const [first] = results
  const goal: Goal = { of: 'rate', is: 'at least', limit }
  return {
    title: `Emails through a queue, ${where}, ${CONCURRENCY} jobs at once, ${CONNECTIONS} connections: ${rounds} rounds of ${perBatch}`,
    headings: ['sent by', 'jobs/s', 'CPU µs/job', 'rate vs. plain', 'CPU vs. plain', 'goal'],
    rows: results.map(({ name, perSecond, cpuMicros }, index) => {
      const rate = perSecond / first!.perSecond
      return [
        ...[name, perSecond * perBatch, cpuMicros / perBatch, rate, cpuMicros / first!.cpuMicros],
        index === 1 ? judge(goal, rate) : '',
      ]
    }),
    charts: [{ column: 3, better: 'higher' }],
  }
}

function openPlain({ path }: Redis, name: string, target: Target): Line {
  const connection = { path, maxRetriesPerRequest: null }
  const transporter = plain(target)
  const queue = new Queue(name, { connection })
  const worker = new Worker(name, async ({ data }) => await transporter.sendMail(data), {
    ...{ connection, concurrency: CONCURRENCY },
  })
  return {
    async send(count) {
      const jobs = Array.from({ length: count }, () => ({ name: 'mail', data: oneLine, opts: KEPT }))
      const done = untilSent(worker, count)
      await queue.addBulk(jobs)
      await done
    },
    async close() {
      await worker.close()
      await queue.close()
      transporter.close()
    },
  }
}

function openOurs({ path }: Redis, name: string, target: Target): Line {
  const connection = { path, maxRetriesPerRequest: null }
  const client = new IoRedis(path)
  const sendOnce = createRedisSendOnce(client)
  const mails = createMailQueue({ connection, name })
  const { worker, close } = createMailWorker({
    ...{ connection, name, transporter: ours(target, { sendOnce }), sendOnce },
    concurrency: CONCURRENCY,
  })
  return {
    async send(count) {
      const done = untilSent(worker, count)
      await mails.addBulk(Array.from({ length: count }, () => ({ message: oneLine, options: KEPT })))
      await done
    },
    async close() {
      await close()
      await mails.close()
      await client.quit()
    },
  }
}

/** Resolves when a worker has completed so many jobs. */
function untilSent(worker: Pick<Worker, 'on' | 'off'>, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = count
    const onFailed = (_job: unknown, error: Error) => reject(error)
    const onCompleted = () => {
      if (--left > 0) return
      worker.off('completed', onCompleted).off('failed', onFailed)
      resolve()
    }
    worker.on('completed', onCompleted).on('failed', onFailed)
  })
}
