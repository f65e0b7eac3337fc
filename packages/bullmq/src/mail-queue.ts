import { optionError, refuseUnknown, toOnceReference } from '@postmark-smtp/core/internal'
import { type ConnectionOptions, type Job, type JobsOptions, Queue } from 'bullmq'
import type { SendMailOptions } from 'nodemailer'
import { type MailJob, type MailJobOptions, toMailJob } from './mail-job.js'
import type { MailJobResult } from './mail-processor.js'

/** The name of queue and worker, unless they are given another one. */
export const QUEUE_NAME = 'postmark-mail'
const JOB_NAME = 'mail'

/** What {@link createMailQueue} takes; an unknown option fails at once. */
export type MailQueueOptions = Omit<MailJobOptions, 'idempotencyKey'> &
  (
    | {
        /** As BullMQ takes it. @example { url: 'redis://localhost:6379' } */
        readonly connection: ConnectionOptions
        /** Default `postmark-mail`. */
        readonly name?: string | undefined
        /** The prefix of BullMQ’s keys. Default `bull`. */
        readonly prefix?: string | undefined
      }
    /** A Queue of your own, which you close. */
    | { readonly queue: MailJobQueue }
  )

/** BullMQ’s own Queue, of mails. */
export type MailJobQueue = Queue<MailJob, MailJobResult, string>

/** Options of one job: BullMQ’s own, and those of its mail. */
export interface AddMailOptions extends Omit<JobsOptions, 'repeat'> {
  /** The key under which the mail goes out at most once. Default: that of the message, else a random one. */
  readonly idempotencyKey?: string | undefined
  /** How long the job may wait for a server that takes no mail for now. Default: that of the queue. */
  readonly deadlineMs?: number | undefined
}

/** One mail of {@link MailQueue.addBulk}. */
export interface MailToAdd {
  readonly message: SendMailOptions
  readonly options?: AddMailOptions | undefined
}

/** A queue of mails. */
export interface MailQueue {
  /** BullMQ’s own Queue: counts, events, removal. */
  readonly queue: MailJobQueue
  /**
   * Puts a mail into the queue, with the fields of the scope that is open here. While a job with the same
   * `idempotencyKey` waits or runs, that one is returned.
   * @example await mails.add(message, { idempotencyKey: 'receipt-1234', delay: 60_000 })
   * @throws PostmarkError ERR_POSTMARK_JOB, ERR_POSTMARK_OPTIONS
   */
  add(message: SendMailOptions, options?: AddMailOptions): Promise<Job<MailJob, MailJobResult, string>>
  /** Puts many mails into the queue in one step: all of them, or none. */
  addBulk(mails: readonly MailToAdd[]): Promise<Job<MailJob, MailJobResult, string>[]>
  /** Closes the Queue, unless it was yours. */
  close(): Promise<void>
}

/** What jobs get unless Queue or call say otherwise. */
const JOB_DEFAULTS: JobsOptions = {
  attempts: 10,
  backoff: { type: 'mail' },
  removeOnComplete: { age: 86_400, count: 1_000 },
}

const JOB_OPTIONS = ['deadlineMs', 'maxBytes', 'correlationId', 'injectTrace']

/**
 * Creates a queue of mails on BullMQ.
 * @example const mails = createMailQueue({ connection: { url: process.env.REDIS_URL } })
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function createMailQueue(options: MailQueueOptions): MailQueue {
  const isTheirs = 'queue' in options
  refuseUnknown(options, [...JOB_OPTIONS, ...(isTheirs ? ['queue'] : ['connection', 'name', 'prefix'])])
  const queue = isTheirs ? options.queue : openQueue(options)
  const { deadlineMs, maxBytes, correlationId, injectTrace } = options
  const toJob = (
    message: SendMailOptions,
    { idempotencyKey, deadlineMs: own, ...more }: AddMailOptions = {},
  ) => {
    // Each repetition would have the key of the first, and send nothing.
    if ('repeat' in more && more.repeat !== undefined)
      throw optionError(
        'repeat',
        more.repeat,
        'left out: repeat a job of your own, which adds a mail each time',
      )
    const data = toMailJob(message, {
      ...{ idempotencyKey, maxBytes, correlationId, injectTrace },
      deadlineMs: own ?? deadlineMs,
    })
    const hasKey = (idempotencyKey ?? Object(message).idempotencyKey) !== undefined
    return {
      name: JOB_NAME,
      data,
      opts: {
        ...JOB_DEFAULTS,
        ...queue.jobsOpts,
        // No other job has a random key. One of BullMQ may hold no colon, so the hash.
        ...(hasKey ? { deduplication: { id: toOnceReference(data.idempotencyKey) } } : {}),
        ...more,
      },
    }
  }
  return {
    queue,
    async add(message, more) {
      const { name, data, opts } = toJob(message, more)
      return await queue.add(name, data, opts)
    },
    async addBulk(mails) {
      return await queue.addBulk(mails.map(({ message, options: more }) => toJob(message, more)))
    },
    async close() {
      if (!isTheirs) await queue.close()
    },
  }
}

/** Opens BullMQ’s Queue. */
export function openQueue(options: {
  readonly connection: ConnectionOptions
  readonly name?: string | undefined
  readonly prefix?: string | undefined
}): MailJobQueue {
  const { connection, name = QUEUE_NAME, prefix } = options
  return new Queue(name, { connection, ...(prefix === undefined ? {} : { prefix }) })
}
