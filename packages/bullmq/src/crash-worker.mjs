import { createPostmarkTransport } from '@postmark-smtp/core'
import { createRedisSendOnce } from '@postmark-smtp/redis'
import { Redis } from 'ioredis'
import { ServerClient } from 'postmark'
import { createMailWorker } from './index.ts'

// A worker that a test kills or stops at some point. Its lease and its locks are as short as possible.
const { path, name, host, port, ca, token, apiHost, waitMs } = JSON.parse(process.argv[2])
const redis = new Redis({ path })
// Redis may be killed too.
redis.on('error', () => {})
const store = createRedisSendOnce(redis, { prefix: name })
const transporter = createPostmarkTransport({
  ...{ serverToken: token, host, ports: [port], tls: { ca } },
  sendOnce: { store, leaseMs: 1_000 },
  retry: { attempts: 1, baseMs: 50 },
})
const { worker } = createMailWorker({
  ...{ connection: { path, maxRetriesPerRequest: null }, name, transporter, sendOnce: store },
  lookUp: {
    client: new ServerClient(token, { requestHost: apiHost, useHttps: false }),
    ...{ streams: ['outbound'], everyMs: 1_000, waitMs },
  },
  maxCrashes: 1_000,
  // Few at once, so that the queue outlasts the crashes and each of them hits a worker that is busy.
  concurrency: 2,
  worker: { lockDuration: 1_000, stalledInterval: 500, settings: { backoffStrategy: () => 50 } },
})
// A worker that was stopped for longer than its locks finds them gone.
worker.on('error', () => {})
worker.once('ready', () => process.send('ready'))
process.on('disconnect', () => process.exit())
