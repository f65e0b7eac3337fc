import { createMailWorker } from '@postmark-smtp/bullmq'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { createRedisSendOnce } from '@postmark-smtp/redis'
import { Redis } from 'ioredis'

// A worker that reports its memory to a test, each time it has completed the number of jobs that it was sent. It runs the
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
  // The work after the last job has ended by then.
  setTimeout(() => {
    // The second collection waits until the Buffers of the first are released.
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
