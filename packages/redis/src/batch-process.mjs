import { createPostmarkTransport, sendBatch } from '@postmark-smtp/core'
import { createRedisSendOnce } from '@postmark-smtp/redis'
import { Redis } from 'ioredis'

// Sends a newsletter to a list, and reports its progress. It runs the built packages, so that it starts immediately.
const { redisPath, prefix, leaseMs, list, readers, ...options } = JSON.parse(process.argv[2])
const redis = new Redis(redisPath)
const store = createRedisSendOnce(redis, { prefix })
const transporter = createPostmarkTransport({ ...options, sendOnce: { store, leaseMs } })
const message = { from: 'news@example.com', subject: 'News', text: 'Hello', html: '<p>Hello</p>' }

async function* subscribers() {
  for (let reader = 0; reader < readers; reader++)
    yield { to: `${list}-${reader}@example.com`, key: `${list}-${reader}` }
}

let done = 0
process.send({ done })
for await (const _result of sendBatch(transporter, subscribers(), { message, sendOnce: true }))
  process.send({ done: ++done })
process.send({ done, isOver: true })
await transporter.close()
await redis.quit()
process.disconnect()
