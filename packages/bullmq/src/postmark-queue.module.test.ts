import 'reflect-metadata'
import { BullModule, Processor as BullProcessor, getQueueToken, WorkerHost } from '@nestjs/bullmq'
import { ConsoleLogger, Inject, Injectable, Module } from '@nestjs/common'
import { REQUEST } from '@nestjs/core'
import { Test } from '@nestjs/testing'
import { createMemorySendOnce, createPostmarkTransport, runWithPostmark } from '@postmark-smtp/core'
import { type Sandbox, startSandbox } from '@postmark-smtp/sandbox'
import { type Redis, redisMissing, startRedis } from '@postmark-smtp/testing'
import type { Job, Queue } from 'bullmq'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMailProcessor, type MailJob, type MailJobResult, mailBackoff, toMailJob } from './index.js'
import { PostmarkMailQueue, PostmarkQueueModule, type PostmarkQueueModuleOptions } from './nestjs.js'

const missing = redisMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

const mail = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Receipt', text: 'Thank you' }

@Injectable()
class Orders {
  constructor(@Inject(PostmarkMailQueue) private readonly mails: PostmarkMailQueue) {}
  order(id: string) {
    return this.mails.add(mail, { idempotencyKey: `receipt-${id}` })
  }
}

describe.skipIf(skipped)('PostmarkQueueModule', () => {
  let redis: Redis
  let sandbox: Sandbox
  let names = 0
  beforeAll(async () => {
    redis = await startRedis()
    sandbox = await startSandbox()
  })
  afterAll(async () => {
    await redis?.close()
    await sandbox?.close()
  })
  const options = (): PostmarkQueueModuleOptions => {
    const sendOnce = createMemorySendOnce()
    const transporter = createPostmarkTransport({ url: sandbox.url, sendOnce })
    const connection = { path: redis.path, maxRetriesPerRequest: null }
    return { connection, name: `nest-${++names}`, worker: { transporter, sendOnce }, closeMs: 5_000 }
  }

  it.each(['forRoot', 'forRootAsync'] as const)(
    '%s sends what a service puts into the queue, and ends',
    async (method) => {
      sandbox.clear()
      const given = options()
      const queues =
        method === 'forRoot'
          ? PostmarkQueueModule.forRoot({ ...given, isGlobal: true })
          : PostmarkQueueModule.forRootAsync({ isGlobal: true, useFactory: () => given })
      @Module({ providers: [Orders] })
      class Shop {}
      const app = (
        await Test.createTestingModule({ imports: [queues, Shop] }).compile()
      ).createNestApplication()
      await app.init()
      await runWithPostmark({ tag: 'order' }, () => app.get(Orders).order('7'))
      await expect.poll(() => sandbox.outbox.length, { timeout: 30_000 }).toBe(1)
      expect(sandbox.outbox[0]?.postmark.tag).toBe('order')
      await app.close()
      await expect(given.worker!.transporter.sendMail(mail)).rejects.toMatchObject({
        code: 'ERR_POSTMARK_CLOSED',
      })
    },
  )

  it('logs a job that fails for good by its outcome, without an address', async () => {
    const lines: string[] = []
    const logger = new ConsoleLogger({ json: false })
    logger.error = (message: string) => void lines.push(message)
    const given = options()
    const imports = [PostmarkQueueModule.forRoot(given)]
    const app = (
      await Test.createTestingModule({ imports }).setLogger(logger).compile()
    ).createNestApplication()
    await app.init()
    const job = await app.get(PostmarkMailQueue).add({ ...mail, from: 'no address' })
    await expect.poll(() => lines.length, { timeout: 30_000 }).toBe(1)
    expect(lines).toEqual([
      `Job ${job.id} of the queue ${given.name} failed: not-sent. Its failedReason says why.`,
    ])
    await app.close()
  })

  it('without a worker only puts mail into the queue', async () => {
    sandbox.clear()
    const { worker: _worker, ...given } = options()
    const imports = [PostmarkQueueModule.forRoot(given)]
    const app = (
      await Test.createTestingModule({ imports, providers: [Orders] }).compile()
    ).createNestApplication()
    await app.init()
    const mails = app.get(PostmarkMailQueue)
    await mails.addBulk([{ message: mail }, { message: mail }])
    await app.get(Orders).order('8')
    expect(await mails.queue.getWaitingCount()).toBe(3)
    await app.close()
    expect(sandbox.outbox).toHaveLength(0)
  })

  // @nestjs/bullmq is the one of Nest 12.
  it.skipIf(process.env.NEST === '11')(
    'works next to @nestjs/bullmq, whose processor may send too',
    async () => {
      sandbox.clear()
      const { connection, worker, name } = options()
      const own = `own-${name}`
      @BullProcessor(own, {
        maxStalledCount: Number.POSITIVE_INFINITY,
        settings: { backoffStrategy: mailBackoff },
      })
      class Mails extends WorkerHost {
        private readonly send: ReturnType<typeof createMailProcessor>
        constructor(@Inject(getQueueToken(own)) queue: Queue) {
          super()
          this.send = createMailProcessor({ ...worker!, queue })
        }
        process(job: Job<MailJob, MailJobResult>, token?: string) {
          return this.send(job, token)
        }
      }
      const imports = [
        BullModule.forRoot({ connection }),
        BullModule.registerQueue({ name: own }),
        PostmarkQueueModule.forRoot({ connection, name }),
      ]
      const app = (
        await Test.createTestingModule({ imports, providers: [Mails] }).compile()
      ).createNestApplication()
      await app.init()
      await app
        .get<Queue>(getQueueToken(own))
        .add('mail', toMailJob(mail), { attempts: 3, backoff: { type: 'mail' } })
      await expect.poll(() => sandbox.outbox.length, { timeout: 30_000 }).toBe(1)
      await app.close()
      await worker!.transporter.close()
    },
  )

  it.each([
    ['no options', () => PostmarkQueueModule],
    [
      'options that depend on the request',
      () => PostmarkQueueModule.forRootAsync({ inject: [REQUEST], useFactory: () => options() }),
    ],
  ])('does not start with %s', async (_what, imported) => {
    const module = Test.createTestingModule({ imports: [imported()] }).compile()
    await expect(module.then((made) => made.createNestApplication().init())).rejects.toMatchObject({
      code: 'ERR_POSTMARK_OPTIONS',
    })
  })
})
