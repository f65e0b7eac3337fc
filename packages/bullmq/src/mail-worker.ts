import { optionError, refuseUnknown, runOutsideScopes } from '@postmark-smtp/core/internal'
import { type ConnectionOptions, Worker, type WorkerOptions } from 'bullmq'
import { mailBackoff } from './mail-backoff.js'
import { checkMs, type MailJob } from './mail-job.js'
import { createMailProcessor, type MailJobResult, type MailProcessorOptions } from './mail-processor.js'
import { openQueue, QUEUE_NAME } from './mail-queue.js'

/** Options of {@link createMailWorker}. An unknown option throws immediately. */
export interface MailWorkerOptions extends Omit<MailProcessorOptions, 'queue'> {
  /** A connection as BullMQ accepts it. Your own client needs `maxRetriesPerRequest: null`. */
  readonly connection: ConnectionOptions
  /** The name of the queue. Default `postmark-mail`, as in `createMailQueue`. */
  readonly name?: string | undefined
  /** The prefix of BullMQ’s keys. Default `bull`. */
  readonly prefix?: string | undefined
  /**
   * The number of jobs under way at once. Default 40, four times the connections of a transporter. While one email is under
   * way, the next is composed and a third is fetched and claimed. Each email can then be sent in one round trip.
   */
  readonly concurrency?: number | undefined
  /** Further options of BullMQ’s Worker. @example { lockDuration: 60_000, telemetry } */
  readonly worker?:
    | Omit<WorkerOptions, 'connection' | 'maxStalledCount' | 'concurrency' | 'prefix'>
    | undefined
}

/** Options of {@link MailWorker.close}. */
export interface CloseMailWorkerOptions {
  /** How long emails under way may take, in milliseconds. The others go back to the queue. Default 30,000. */
  readonly deadlineMs?: number | undefined
}

/** A worker that sends the emails of a queue. */
export interface MailWorker {
  /** BullMQ’s own Worker, for its events and methods. */
  readonly worker: Worker<MailJob, MailJobResult, string>
  /** Stops taking jobs, closes the transporter, puts unsent emails back into the queue, and ends the worker. */
  close(options?: CloseMailWorkerOptions): Promise<void>
}

/** A limit that is never reached. Without one, BullMQ ignores a slowed-down queue. */
const LIMITER = { max: 1_000_000_000, duration: 1_000 }
/** Time after the deadline of `close` to put jobs back and to close the connections. */
const LAST_MS = 5_000

/**
 * Creates a worker for the queue of `createMailQueue`. Closing the worker also closes its transporter.
 * @example
 * const sendOnce = createRedisSendOnce(redis)
 * const transporter = createPostmarkTransport({ serverToken, sendOnce })
 * const worker = createMailWorker({ connection, transporter, sendOnce, lookUp: { client, streams: ['outbound'] } })
 * process.once('SIGTERM', () => worker.close())
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function createMailWorker(options: MailWorkerOptions): MailWorker {
  const {
    connection,
    name = QUEUE_NAME,
    prefix,
    concurrency = 40,
    worker: more,
    ...rest
  } = Object(options) as MailWorkerOptions
  refuseUnknown(rest, [
    ...['transporter', 'sendOnce', 'lookUp', 'deadlineMs', 'maxCrashes', 'slowMs', 'onPause', 'withTrace'],
  ])
  if (typeof connection !== 'object' || connection === null)
    throw optionError('connection', connection, 'a connection that BullMQ accepts')
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw optionError('concurrency', concurrency, 'a whole number of 1 or more')
  // BullMQ’s loops and timers belong to the process, not to the request that happened to create the worker.
  return runOutsideScopes(() => {
    const queue = openQueue({ connection, name, prefix })
    const worker = new Worker<MailJob, MailJobResult, string>(name, createMailProcessor({ ...rest, queue }), {
      limiter: LIMITER,
      ...more,
      connection,
      ...(prefix === undefined ? {} : { prefix }),
      concurrency,
      // A job whose worker died may have sent its email. BullMQ must not fail it before the store has been asked.
      maxStalledCount: Number.POSITIVE_INFINITY,
      settings: { backoffStrategy: mailBackoff, ...more?.settings },
    })
    const end = async (deadlineMs: number): Promise<void> => {
      await worker.pause(true)
      await rest.transporter.close({ deadlineMs })
      await within(LAST_MS, worker.close())
      await within(LAST_MS, queue.close())
    }
    let closing: Promise<void> | undefined
    const close = (closeOptions?: CloseMailWorkerOptions): Promise<void> => {
      const { deadlineMs = 30_000 } = closeOptions ?? {}
      checkMs('deadlineMs', deadlineMs)
      closing ??= runOutsideScopes(() => end(deadlineMs))
      return closing
    }
    return { worker, close }
  })
}

/** Waits for `work`, but not for ever: a Redis that is gone must not prevent the process from ending. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}
