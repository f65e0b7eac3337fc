import { createMailWorker } from '@postmark-smtp/bullmq'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { createRedisSendOnce } from '@postmark-smtp/redis'
import { Redis } from 'ioredis'

// A worker that a test asks for its memory: to each number it answers when it has completed so many jobs. It runs the
// built packages, with --expose-gc.
const { path, url } = JSON.parse(process.argv[2])
const sendOnce = createRedisSendOnce(new Redis({ path }))
const transporter = createPostmarkTransport({ url, sendOnce })
const connection = { path, maxRetriesPerRequest: null }
const { worker } = createMailWorker({ connection, transporter, sendOnce })
let completed = 0
let asked
const answer = () => {
  if (asked === undefined || completed < asked) return
  asked = undefined
  // What follows on the last job is over then.
  setTimeout(() => {
    // The second collection waits until the Buffers of the first are given back.
    gc()
    gc()
    const { heapUsed, external } = process.memoryUsage()
    process.send(heapUsed + external)
  }, 200)
}
worker.on('completed', () => {
  completed++
  answer()
})
worker.on('failed', (_job, error) => {
  throw error
})
process.on('message', (count) => {
  asked = count
  answer()
})
process.on('disconnect', () => process.exit())
