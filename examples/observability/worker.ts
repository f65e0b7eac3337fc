import { createMailWorker, type MailWorker } from '@postmark-smtp/bullmq'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { createRedisSendOnce } from '@postmark-smtp/redis'
import { Redis } from 'ioredis'

/** Starts a worker that sends the emails in the queue. A separate worker process must call `startTelemetry` as well. */
export function startWorker(redisUrl: string, postmarkUrl: string): MailWorker {
  const redis = new Redis(redisUrl)
  const sendOnce = createRedisSendOnce(redis)
  const transporter = createPostmarkTransport({
    url: postmarkUrl,
    sendOnce,
    retry: { attempts: 2 },
    correlationId: true,
  })
  const { worker, close } = createMailWorker({ connection: { url: redisUrl }, transporter, sendOnce })
  return {
    worker,
    async close(options) {
      await close(options)
      await redis.quit()
    },
  }
}
