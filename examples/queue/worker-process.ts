import { startWorker } from './worker.js'

const { REDIS_URL: redisUrl, POSTMARK_URL: postmarkUrl, POSTMARK_SERVER_TOKEN: serverToken } = process.env
if (!redisUrl || !postmarkUrl || !serverToken)
  throw new Error('Set REDIS_URL, POSTMARK_URL and POSTMARK_SERVER_TOKEN')
const { close } = startWorker({ redisUrl, postmarkUrl, serverToken, apiHost: process.env.POSTMARK_API_HOST })
process.once('SIGTERM', () => void close({ deadlineMs: 10_000 }))
