import { createMailWorker, type MailWorker } from '@postmark-smtp/bullmq'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { createRedisSendOnce } from '@postmark-smtp/redis'
import { Redis } from 'ioredis'
import { ServerClient } from 'postmark'

declare global {
  /** The types of the official client use this name, which Node's types do not have. */
  type RequestInfo = string | URL | Request
}

/** What the worker gets from its environment. */
export interface WorkerSettings {
  readonly redisUrl: string
  readonly postmarkUrl: string
  readonly serverToken: string
  /** Host and port of the sandbox's API. Not set in production. */
  readonly apiHost?: string | undefined
}

/** Starts a worker that sends each email once, even if another worker was killed while it sent the email. */
export function startWorker({ redisUrl, postmarkUrl, serverToken, apiHost }: WorkerSettings): MailWorker {
  const redis = new Redis(redisUrl)
  const sendOnce = createRedisSendOnce(redis)
  const transporter = createPostmarkTransport({ url: postmarkUrl, sendOnce, retry: { attempts: 2 } })
  const client = new ServerClient(serverToken, apiHost ? { requestHost: apiHost, useHttps: false } : {})
  const { worker, close } = createMailWorker({
    connection: { url: redisUrl },
    ...{ transporter, sendOnce },
    lookUp: { client, streams: ['outbound', 'broadcast'] },
  })
  return {
    worker,
    async close(options) {
      await close(options)
      await redis.quit()
    },
  }
}
