import { createPostmarkTransport } from '@postmark-smtp/core'
import { createRedisSendOnce } from '@postmark-smtp/redis'
import { Redis } from 'ioredis'
import pg from 'pg'
import { sendNext } from './dist/outbox.js'

// Sends the emails in the outbox, and waits at the point at which a test kills it.
const { connectionString, redisPath, url, leaseMs, stopAt } = JSON.parse(process.argv[2])
const stop = () => {
  process.send(stopAt)
  return new Promise(() => {})
}
const store = createRedisSendOnce(new Redis(redisPath))
const transporter = createPostmarkTransport({
  url,
  sendOnce: {
    leaseMs,
    store: stopAt === 'settle' ? { ...methodsOf(store), settle: stop } : store,
  },
})
const sender = { sendMail: (message) => transporter.sendMail(message).then(stop) }
process.on('disconnect', () => process.exit())
const pool = new pg.Pool({ connectionString })
// The row of a process that was killed earlier is postponed first.
while (await sendNext(pool, stopAt === 'mark' ? sender : transporter));

function methodsOf(object) {
  const names = ['claim', 'renew', 'settle', 'resolve', 'unknowns']
  return Object.fromEntries(names.map((name) => [name, (...args) => object[name](...args)]))
}
