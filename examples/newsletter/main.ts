import {
  type BatchProgress,
  createMemorySendOnce,
  createPostmarkTransport,
  createSuppressionList,
} from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import { SingleBar } from 'cli-progress'
import { type Failure, sendNewsletter } from './newsletter.js'
import { writeSubscribers } from './subscribers-file.js'

/** The settings of the example. */
export interface Settings {
  readonly subscribers: number
  /** Stops the run after this many emails, as Ctrl-C would. */
  readonly stopAt?: number
}

/**
 * Sends a newsletter to a local Postmark. Ctrl-C stops it after the emails that are being sent. Then it sends the rest and
 * lists the subscribers that it did not reach.
 */
export async function main(
  print: (line: string) => void,
  { subscribers, stopAt = Number.POSITIVE_INFINITY }: Settings,
): Promise<void> {
  await using file = await writeSubscribers(subscribers)
  await using sandbox = await startSandbox({ keep: { mails: subscribers } })
  const suppressions = createSuppressionList()
  suppressions.add({ address: 'reader-7@example.com', stream: 'broadcast' })
  await using transporter = createPostmarkTransport({
    url: sandbox.url,
    messageStream: 'broadcast',
    suppressions,
    // In production, use createRedisSendOnce(redis), so that another process can continue.
    sendOnce: createMemorySendOnce(),
  })
  let isStopped = false
  const run = async (): Promise<Failure[]> => {
    const stop = new AbortController()
    const onInterrupt = () => stop.abort()
    process.once('SIGINT', onInterrupt)
    const bar = new SingleBar({ format: '{bar} {value}/{total} | {rate} emails/s | {failed} not sent' })
    bar.start(subscribers, 0, { rate: 0, failed: 0 })
    const onProgress = ({ done, perSecond, refused, failed, unknown }: BatchProgress) => {
      bar.update(done, { rate: Math.round(perSecond), failed: refused + failed + unknown })
      if (done >= stopAt && !isStopped) stop.abort()
    }
    try {
      const failures = await sendNewsletter(transporter, file.path, { signal: stop.signal, onProgress })
      if (!stop.signal.aborted) return failures
    } finally {
      bar.stop()
      process.off('SIGINT', onInterrupt)
    }
    isStopped = true
    print(`Stopped: ${sandbox.outbox.length} of ${subscribers} emails sent. Sending the rest.`)
    return run()
  }
  const failures = await run()
  const reached = new Set(sandbox.outbox.map(({ envelope }) => envelope.to[0]))
  print(`${sandbox.outbox.length} emails sent to ${reached.size} subscribers`)
  for (const { key, outcome, reason } of failures.slice(0, 5))
    print(`${key}: ${outcome}, ${reason.replace(/\s+/g, ' ')}`)
  if (failures.length > 5) print(`and ${failures.length - 5} more`)
}

if (process.argv[1] === import.meta.filename)
  await main(console.log, { subscribers: Number(process.argv[2] ?? 20_000) })
