import { optionError, refuseUnknown, toOnceReference } from '@postmark-smtp/core/internal'
import { type ConnectionOptions, type Job, type JobsOptions, Queue } from 'bullmq'
import type { SendMailOptions } from 'nodemailer'
import { type MailJob, type MailJobOptions, toMailJob } from './mail-job.js'
import type { MailJobResult } from './mail-processor.js'

/** The default name of queue and worker. */
export const QUEUE_NAME = 'postmark-mail'
const JOB_NAME = 'mail'

/** Options of {@link createMailQueue}. An unknown option throws immediately. */
export type MailQueueOptions = Omit<MailJobOptions, 'idempotencyKey'> &
  (
    | {
        /** A connection as BullMQ accepts it. @example { url: 'redis://localhost:6379' } */
        readonly connection: ConnectionOptions
        /** Default `postmark-mail`. */
        readonly name?: string | undefined
        /** The prefix of BullMQ’s keys. Default `bull`. */
        readonly prefix?: string | undefined
      }
    /** Your own Queue, which you close yourself. */
    | { readonly queue: MailJobQueue }
  )

/** BullMQ’s Queue for mail jobs. */
export type MailJobQueue = Queue<MailJob, MailJobResult, string>

/** Options of one job: those of BullMQ, and those of its email. */
export interface AddMailOptions extends Omit<JobsOptions, 'repeat'> {
  /** The key under which the email goes out at most once. Default: the key of the message, or a random one. */
  readonly idempotencyKey?: string | undefined
  /** How long the job may wait while the server accepts no email, in milliseconds. Default: that of the queue. */
  readonly deadlineMs?: number | undefined
}

/** One email of {@link MailQueue.addBulk}. */
export interface MailToAdd {
  readonly message: SendMailOptions
  readonly options?: AddMailOptions | undefined
}

/** A queue of emails. */
export interface MailQueue {
  /** BullMQ’s own Queue, for counts, events and removal. */
  readonly queue: MailJobQueue
  /**
   * Adds an email to the queue, with the fields of the current scope. If a job with the same `idempotencyKey` is waiting or
   * running, returns that job.
   * @example await mails.add(message, { idempotencyKey: 'receipt-1234', delay: 60_000 })
   * @throws PostmarkError ERR_POSTMARK_JOB, ERR_POSTMARK_OPTIONS
   */
  add(message: SendMailOptions, options?: AddMailOptions): Promise<Job<MailJob, MailJobResult, string>>
  /** Adds many emails to the queue in one step: all of them, or none. */
  addBulk(mails: readonly MailToAdd[]): Promise<Job<MailJob, MailJobResult, string>[]>
  /** Closes the Queue, unless you passed your own. */
  close(): Promise<void>
}

/** The options of jobs, unless the Queue or the call sets others. */
const JOB_DEFAULTS: JobsOptions = {
  attempts: 10,
  backoff: { type: 'mail' },
  removeOnComplete: { age: 86_400, count: 1_000 },
}

const JOB_OPTIONS = ['deadlineMs', 'maxBytes', 'correlationId', 'injectTrace']

/**
 * Creates a mail queue on BullMQ.
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
    // Each repetition would have the key of the first and send nothing.
    if ('repeat' in more && more.repeat !== undefined)
      throw optionError(
        'repeat',
        more.repeat,
        'left out. Schedule your own job instead, and add an email each time it runs',
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
        // A random key has no duplicate. BullMQ allows no colon in an ID, hence the hash.
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
