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

/** The result of a completed job, which BullMQ keeps as its `returnvalue`. */
export interface MailJobResult {
  readonly messageId: string
  readonly accepted: readonly string[]
  /** The recipients that the server refused while it accepted the others. */
  readonly rejected: readonly string[]
  /** The last line of the server's reply. */
  readonly response: string
  /** As `info.postmark`: where the email went, with which fields, and whether it had already been sent. */
  readonly postmark: Omit<PostmarkInfo, 'origins'>
}

/** Options of {@link createMailProcessor}. An unknown option throws immediately. */
export interface MailProcessorOptions {
  /** A transporter made by `createPostmarkTransport` with the same `sendOnce`. */
  readonly transporter: PostmarkTransporter
  /** The send-once store of the transporter. All workers share it. */
  readonly sendOnce: SendOnceStore
  /** The queue that the jobs come from. The processor slows it down and pauses it. */
  readonly queue: BrakedQueue
  /** How to ask Postmark about an email whose outcome is unknown. Default: Postmark is not asked, and the job fails as unknown. */
  readonly lookUp?: LookUpOptions | undefined
  /**
   * How long a job may wait while the server accepts no email, in milliseconds. Counted from the creation of the job plus
   * its `delay`. Default 86,400,000, a day.
   */
  readonly deadlineMs?: number | undefined
  /** How many times the worker of a job may crash before the job fails, if its email was never sent. Default 5. */
  readonly maxCrashes?: number | undefined
  /** How long the queue rests when the server accepts no email, in milliseconds. Doubles each time, up to five minutes. Default 5,000. */
  readonly slowMs?: number | undefined
  /** Called when the queue is paused because no email can be sent: a refused login, TLS, options. Default: emits a process warning. */
  readonly onPause?: ((error: Error) => void) | undefined
  /**
   * Runs `work` in the trace context that `injectTrace` wrote.
   * @example (carrier, work) => context.with(propagation.extract(ROOT_CONTEXT, carrier), work)
   */
  readonly withTrace?: (<R>(carrier: Readonly<Record<string, string>>, work: () => R) => R) | undefined
}

/** Handles one job. Pass it to your own Worker, or call it in the `process` method of a `@nestjs/bullmq` processor. */
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
 * Returns the function that sends the email of a job. Each job runs in its own scope, with the fields it carries and none
 * of the worker's. The Worker needs `maxStalledCount: Infinity`, because BullMQ would otherwise fail jobs whose email was
 * sent. It also needs `limiter: { max: 1_000_000_000, duration: 1_000 }`, because it would otherwise ignore a slowed-down
 * queue.
 * @example
 * new Worker(name, createMailProcessor({ transporter, sendOnce, queue }), {
 *   connection,
 *   maxStalledCount: Infinity,
 *   limiter: { max: 1_000_000_000, duration: 1_000 },
 *   settings: { backoffStrategy: mailBackoff },
 * })
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 * @see docs/queues.md, which lists what happens to a job in each case
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
    throw optionError('transporter', transporter, 'a transporter made by createPostmarkTransport')
  if (typeof sendOnce?.claim !== 'function')
    throw optionError('sendOnce', sendOnce, 'the send-once store of the transporter')
  if (typeof queue?.rateLimit !== 'function' || typeof queue.pause !== 'function')
    throw optionError('queue', queue, 'the BullMQ Queue that the jobs come from')
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
    if (!mail) throw unrecoverable('not-sent', 'The data of the job was not made by toMailJob.')
    const { sendOnce, maxCrashes, withTrace = (_carrier, work) => work() } = this.#settings
    if (job.stalledCounter > maxCrashes && (await wasNeverSent(sendOnce, mail.idempotencyKey))) {
      const what = `Its worker crashed or lost the job ${job.stalledCounter} times, and the email was never sent.`
      throw unrecoverable('not-sent', what)
    }
    const { trace = {} } = mail
    const event = { queue: job.queueName, jobId: job.id, attempt: job.attemptsStarted, trace }
    const traced = () => traceJob(event, () => this.#send(mail), noteEnd)
    // A job that was added outside any scope runs outside any scope here, so that `requireScope` notices.
    const { scope, unscoped } = mail
    const inScope = () =>
      scope && !unscoped
        ? runWithPostmark(scope, traced, { inherit: false })
        : runUnscoped(scope ?? {}, traced)
    const sent = await withTrace(trace, inScope)
    if ('info' in sent) return this.#complete(sent.info)
    throw await this.#follow(sent.verdict, sent.error, job, mail, token)
  }

  /** Sends the email. Tries once more if a look-up finds that it may be sent again, or that it was sent. */
  async #send(mail: ReadMailJob): Promise<Sent> {
    const first = await attempt(this.#settings.transporter, mail)
    if ('info' in first || first.verdict.kind !== 'unknown') return first
    const { reference, sinceMs } = first.verdict
    // Without a reference, it has only now become unknown, and Postmark does not list it yet.
    if (!this.#lookUp || reference === undefined) return first
    // If Postmark cannot be asked now, it is asked again later.
    const found = await this.#lookUp.find(reference, sinceMs).catch(() => 'later' as const)
    if (found === 'ask-store') return await attempt(this.#settings.transporter, mail)
    return found === 'later' ? first : { ...first, verdict: { kind: 'fail' } }
  }

  #complete({ messageId, accepted, rejected, response, postmark }: PostmarkSentInfo): MailJobResult {
    this.#brake.release()
    const { errorCode } = postmark
    if (errorCode !== undefined)
      throw unrecoverable(
        'refused',
        `Postmark refused the email after its 250, with error code ${errorCode}.`,
      )
    return { messageId, accepted, rejected, response, postmark }
  }

  /** Acts on the queue and the job, and returns the error that the job ends with. */
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
    if (Date.now() >= dueAt)
      return unrecoverable(outcome, `${message} The deadline of the job has passed.`, error)
    if (verdict.kind === 'wait') return await delay(job, verdict.ms, token)
    await this.#brake.slow()
    return new RateLimitError()
  }

  #tell(error: Error): void {
    const { onPause } = this.#settings
    if (onPause) onPause(error)
    else
      process.emitWarning(
        `The mail queue was paused because no email can be sent: ${error.message} Fix the cause, then resume the queue.`,
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

/** Fails a job without further attempts. The reason, which BullMQ keeps, begins with the outcome of the email. */
function unrecoverable(outcome: string, message: string, cause?: Error): Error {
  return Object.assign(new UnrecoverableError(`${outcome}: ${message}`), { outcome, cause })
}
