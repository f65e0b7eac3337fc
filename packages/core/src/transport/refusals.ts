import { PostmarkError, problemsError } from '../problems/error.js'
import { UNKNOWN_STREAM } from '../problems/problem.js'

/** The error of a transport that no longer accepts emails, or no longer waits for them. */
export function closedError(message: string): PostmarkError {
  return new PostmarkError('ERR_POSTMARK_CLOSED', message)
}

/** The error for an email if too many are already waiting. */
export function queueFull(queued: number, maxQueued: number): PostmarkError | undefined {
  if (queued < maxQueued) return undefined
  const found = `the queue is full (pool.maxQueued is ${maxQueued})`
  return new PostmarkError('ERR_POSTMARK_QUEUE_FULL', `The email was not sent: ${found}.`)
}

/** The error for an email that names another stream than the one its credentials are for. */
export function wrongStream(stream: string | undefined, only: string | undefined): PostmarkError | undefined {
  if (only === undefined || stream === undefined || stream === only) return undefined
  return problemsError('ERR_POSTMARK_PREFLIGHT', [
    {
      path: 'messageStream',
      found: `is ${JSON.stringify(stream)}`,
      limit: `the SMTP token\u2019s stream ${JSON.stringify(only)}`,
      cure: 'Set credentials for this stream in `streams`, or use a Server API token.',
      severity: 'error',
      errorCode: UNKNOWN_STREAM,
    },
  ])
}
