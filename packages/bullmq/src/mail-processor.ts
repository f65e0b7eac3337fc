import {
  type PostmarkInfo,
  type PostmarkSentInfo,
  type PostmarkTransporter,
  runWithPostmark,
  type SendOnceStore,
} from '@postmark-smtp/core'
import {
  type JobEvent,
  optionError,
  refuseUnknown,
  runUnscoped,
  toPublicCode,
  traceJob,
} from '@postmark-smtp/core/internal'
import { DelayedError, type Job, RateLimitError, UnrecoverableError, WaitingError } from 'bullmq'
import { wasNeverSent } from './crash-bound.js'
import { createLookUp, type LookUp, type LookUpOptions } from './look-up.js'
import { checkMs, fromMailJob, type MailJob, type ReadMailJob } from './mail-job.js'
import { type BrakedQueue, QueueBrake } from './queue-brake.js'
import { sortFailure, type Verdict } from './sort-failure.js'

/** What a completed job returns, and BullMQ keeps as its `returnvalue`. */
export interface MailJobResult {
  readonly messageId: string
  readonly accepted: readonly string[]
  /** The recipients that the server refused while it took the others. */
  readonly rejected: readonly string[]
  /** The last line of the server. */
  readonly response: string
  /** As `info.postmark`: where it went, with which fields, and whether it had been sent before. */
  readonly postmark: Omit<PostmarkInfo, 'origins'>
}

/** What {@link createMailProcessor} takes; an unknown option fails at once. */
export interface MailProcessorOptions {
  /** A transporter of `createPostmarkTransport` that has the same `sendOnce`. */
  readonly transporter: PostmarkTransporter
  /** The store of the transporter, which all workers share. */
  readonly sendOnce: SendOnceStore
  /** The queue that the jobs are from, to slow it down and to pause it. */
  readonly queue: BrakedQueue
  /** How Postmark is asked about a mail of unknown outcome. Default: it is not, and the job fails as unknown. */
  readonly lookUp?: LookUpOptions | undefined
  /**
   * How long after its creation, and its `delay`, a job may wait for a server that takes no mail for now, in
   * milliseconds. Default 86,400,000, a day.
   */
  readonly deadlineMs?: number | undefined
  /** How many times the worker of a job may crash before it is given up, if its mail was never sent. Default 5. */
  readonly maxCrashes?: number | undefined
  /** How long the queue rests after the server took no mail, in milliseconds; it doubles up to five minutes. Default 5,000. */
  readonly slowMs?: number | undefined
  /** Called when the queue was paused, since no mail can be sent: a refused login, TLS, options. Default: a warning of the process. */
  readonly onPause?: ((error: Error) => void) | undefined
  /**
   * Runs the work in the trace context that `injectTrace` wrote.
   * @example (carrier, work) => context.with(propagation.extract(ROOT_CONTEXT, carrier), work)
   */
  readonly withTrace?: (<R>(carrier: Readonly<Record<string, string>>, work: () => R) => R) | undefined
}

/** Handles one job: for a Worker of your own, or the `process` method of a processor of `@nestjs/bullmq`. */
export type MailProcessor = (job: Job<MailJob, MailJobResult>, token?: string) => Promise<MailJobResult>

const OPTIONS = [
  'transporter',
  'sendOnce',
  'queue',
  'lookUp',
  'deadlineMs',
  'maxCrashes',
  'slowMs',
  'onPause',
  'withTrace',
]

/**
 * Makes the function that sends the mail of a job. Each job runs in a scope of its own with what it carries, and none of
 * the worker's. The Worker needs `maxStalledCount: Infinity`, or BullMQ fails jobs whose mail was sent, and
 * `limiter: { max: 1_000_000_000, duration: 1_000 }`, without which it does not heed a queue that was slowed down.
 * @example new Worker(name, createMailProcessor({ transporter, sendOnce, queue }), { connection, maxStalledCount: Infinity })
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 * @see docs/queues.md, which has a table of what becomes of a job
 */
export function createMailProcessor(options: MailProcessorOptions): MailProcessor {
  refuseUnknown(options, OPTIONS)
  const {
    transporter,
    sendOnce,
    queue,
    deadlineMs = 86_400_000,
    maxCrashes = 5,
    slowMs = 5_000,
  } = Object(options) as MailProcessorOptions
  if (typeof transporter?.sendMail !== 'function')
    throw optionError('transporter', transporter, 'a transporter of createPostmarkTransport')
  if (typeof sendOnce?.claim !== 'function')
    throw optionError('sendOnce', sendOnce, 'the send-once store of the transporter')
  if (typeof queue?.rateLimit !== 'function' || typeof queue.pause !== 'function')
    throw optionError('queue', queue, 'the Queue of BullMQ that the jobs are from')
  for (const [name, ms] of Object.entries({ deadlineMs, maxCrashes, slowMs })) checkMs(name, ms)
  const sender = new JobSender({ ...options, deadlineMs, maxCrashes }, new QueueBrake(queue, slowMs))
  return (job, token) => sender.process(job, token)
}

type Settings = MailProcessorOptions & { readonly deadlineMs: number; readonly maxCrashes: number }

class JobSender {
  readonly #settings: Settings
  readonly #brake: QueueBrake
  readonly #lookUp: LookUp | undefined

  constructor(settings: Settings, brake: QueueBrake) {
    this.#settings = settings
    this.#brake = brake
    this.#lookUp = settings.lookUp && createLookUp(settings.sendOnce, settings.lookUp)
  }

  async process(job: Job<MailJob, MailJobResult>, token: string | undefined): Promise<MailJobResult> {
    const mail = fromMailJob(job.data)
    if (!mail) throw unrecoverable('not-sent', 'The data of the job is none that toMailJob has made.')
    const { sendOnce, maxCrashes, withTrace = (_carrier, work) => work() } = this.#settings
    if (job.stalledCounter > maxCrashes && (await wasNeverSent(sendOnce, mail.idempotencyKey))) {
      const what = `Its worker crashed or lost it ${job.stalledCounter} times, and it was never sent.`
      throw unrecoverable('not-sent', what)
    }
    const { trace = {} } = mail
    const event = { queue: job.queueName, jobId: job.id, attempt: job.attemptsStarted, trace }
    const traced = () => traceJob(event, () => this.#send(mail), noteEnd)
    // A job that was made outside of any scope has none here either: `requireScope` is to see that.
    const { scope, unscoped } = mail
    const inScope = () =>
      scope && !unscoped
        ? runWithPostmark(scope, traced, { inherit: false })
        : runUnscoped(scope ?? {}, traced)
    const sent = await withTrace(trace, inScope)
    if ('info' in sent) return this.#complete(sent.info)
    throw await this.#follow(sent.verdict, sent.error, job, mail, token)
  }

  /** Sends it, and once more where a look-up has found out that it may be, or that it was sent. */
  async #send(mail: ReadMailJob): Promise<Sent> {
    const first = await attempt(this.#settings.transporter, mail)
    if ('info' in first || first.verdict.kind !== 'unknown') return first
    const { reference, sinceMs } = first.verdict
    // Without a reference it became unknown just now, and Postmark does not list it yet.
    if (!this.#lookUp || reference === undefined) return first
    // Where Postmark cannot be asked, it is asked again later.
    const found = await this.#lookUp.find(reference, sinceMs).catch(() => 'later' as const)
    if (found === 'ask-store') return await attempt(this.#settings.transporter, mail)
    return found === 'later' ? first : { ...first, verdict: { kind: 'fail' } }
  }

  #complete({ messageId, accepted, rejected, response, postmark }: PostmarkSentInfo): MailJobResult {
    this.#brake.release()
    const { errorCode } = postmark
    if (errorCode !== undefined)
      throw unrecoverable('refused', `Postmark refused the mail after its 250, with error code ${errorCode}.`)
    return { messageId, accepted, rejected, response, postmark }
  }

  /** Does what follows for the queue and the job, and returns what the job ends with. */
  async #follow(
    verdict: Verdict,
    error: Error,
    job: Job<MailJob, MailJobResult>,
    mail: ReadMailJob,
    token: string | undefined,
  ): Promise<Error> {
    const { message } = error
    const outcome = String((error as { outcome?: unknown }).outcome ?? 'not-sent')
    switch (verdict.kind) {
      case 'retry':
        return error
      case 'fail':
        return unrecoverable(outcome, message, error)
      case 'unknown':
        if (!this.#lookUp) return unrecoverable('unknown', message, error)
        return await delay(job, this.#lookUp.everyMs, token)
      case 'pause':
        await this.#brake.pause()
        this.#tell(error)
        return await giveBack(job, token)
      case 'give-back':
        return await giveBack(job, token)
    }
    const dueAt = job.timestamp + (job.opts.delay ?? 0) + (mail.deadlineMs ?? this.#settings.deadlineMs)
    if (Date.now() >= dueAt) return unrecoverable(outcome, `${message} Its deadline is over.`, error)
    if (verdict.kind === 'wait') return await delay(job, verdict.ms, token)
    await this.#brake.slow()
    return new RateLimitError()
  }

  #tell(error: Error): void {
    const { onPause } = this.#settings
    if (onPause) onPause(error)
    else
      process.emitWarning(
        `The mail queue was paused, since no mail can be sent: ${error.message} Resume it when that is settled.`,
        'PostmarkWarning',
      )
  }
}

/** How one call of sendMail ended. */
type Sent = { readonly info: PostmarkSentInfo } | { readonly verdict: Verdict; readonly error: Error }

function noteEnd(event: JobEvent, sent: Sent): void {
  event.outcome = 'info' in sent ? 'sent' : sent.verdict.kind
  if ('error' in sent) event.code = toPublicCode((sent.error as { code?: unknown }).code)
}

async function attempt(transporter: PostmarkTransporter, { message }: ReadMailJob): Promise<Sent> {
  try {
    return { info: await transporter.sendMail(message) }
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    return { verdict: sortFailure(error), error }
  }
}

async function delay(job: Job, ms: number, token: string | undefined): Promise<Error> {
  await job.moveToDelayed(Date.now() + ms, token)
  return new DelayedError()
}

async function giveBack(job: Job, token: string | undefined): Promise<Error> {
  await job.moveToWait(token)
  return new WaitingError()
}

/** Ends a job for good. What became of its mail is the first word of the reason, which BullMQ keeps. */
function unrecoverable(outcome: string, message: string, cause?: Error): Error {
  return Object.assign(new UnrecoverableError(`${outcome}: ${message}`), { outcome, cause })
}
