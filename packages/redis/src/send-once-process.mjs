import { createPostmarkTransport } from '@postmark-smtp/core'
import { createRedisSendOnce } from '@postmark-smtp/redis'
import { Redis } from 'ioredis'

// Sends an email for each key that it receives, and reports the outcome. It runs the built packages, so that it starts immediately.
const { redisPath, prefix, leaseMs, timeoutMs, ...options } = JSON.parse(process.argv[2])
const redis = new Redis(redisPath)
redis.on('error', () => {})
const store = createRedisSendOnce(redis, { prefix })
const transporter = createPostmarkTransport({ ...options, sendOnce: { store, leaseMs, timeoutMs } })

process.on('message', async (key) => {
  const message = { from: 'shop@example.com', to: 'ann@example.com', subject: key, text: 'Thank you' }
  try {
    const { postmark } = await transporter.sendMail({ ...message, idempotencyKey: key })
    process.send({
      key,
      duplicate: postmark.duplicate === true,
      unsettled: postmark.sendOnce === 'unsettled',
    })
  } catch ({ code, outcome, message }) {
    process.send({ key, code, outcome, message })
  }
})
process.on('disconnect', () => process.exit())
process.send('ready')
