import { randomUUID } from 'node:crypto'
import {
  currentPostmark,
  mergeFields,
  type ParsedPostmarkFields,
  PostmarkError,
  type PostmarkProblem,
} from '@postmark-smtp/core'
import { optionError, publishEnqueue, refuseUnknown } from '@postmark-smtp/core/internal'
import type { SendMailOptions } from 'nodemailer'
import { fromJson, type Json, toJson } from './job-json.js'

/** The data of a job that sends an email: plain JSON, made by {@link toMailJob} and read by {@link createMailProcessor}. */
export interface MailJob {
  /** The version of this format. */
  readonly version: 1
  /** The key under which the email goes out at most once. */
  readonly idempotencyKey: string
  /** The message, with Buffers and dates encoded as JSON. */
  readonly message: Json
  /** The fields of the scope in which the job was added. */
  readonly scope?: ParsedPostmarkFields
  /** Set if no scope was open then, and `scope` has only a correlation ID. */
  readonly unscoped?: true
  /** The trace context of the caller. @example { traceparent: '00-…' } */
  readonly trace?: Readonly<Record<string, string>>
  /** How long the job may wait while the server accepts no email, in milliseconds. */
  readonly deadlineMs?: number
}

/** Options of {@link toMailJob}. */
export interface MailJobOptions {
  /**
   * The key under which the email goes out at most once. Default: the key of the message, or a random one. With a random
   * key, a job that runs twice still sends one mail. @example 'receipt-1234'
   */
  readonly idempotencyKey?: string | undefined
  /**
   * How long the job may wait while the server accepts no email, in milliseconds. Counted from the creation of the job plus
   * its `delay`. Default: that of the processor.
   */
  readonly deadlineMs?: number | undefined
  /** How large the job may be as JSON, in bytes. Redis holds it in memory. Default 2,000,000. */
  readonly maxBytes?: number | undefined
  /**
   * Adds a correlation ID to the metadata of the email, unless the scope or the message has one. All attempts share it. With
   * `true`, the metadata key is `correlation-id`. Default false.
   */
  readonly correlationId?: boolean | { readonly key: string } | undefined
  /**
   * Writes the trace context of the caller into the job. Default: the job carries none.
   * @example (carrier) => propagation.inject(context.active(), carrier)
   */
  readonly injectTrace?: ((carrier: Record<string, string>) => void) | undefined
}

const OPTIONS = ['idempotencyKey', 'deadlineMs', 'maxBytes', 'correlationId', 'injectTrace']
const MOST_BYTES = 2_000_000

/**
 * Makes the data of a job from a message, with the fields of the current scope. Call it synchronously in the scope of the
 * caller.
 * @example await queue.add('mail', toMailJob(message), { attempts: 10, backoff: { type: 'mail' } })
 * @throws PostmarkError ERR_POSTMARK_JOB if the message cannot be stored as JSON, or is too large
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function toMailJob(message: SendMailOptions, options: MailJobOptions = {}): MailJob {
  refuseUnknown(options, OPTIONS)
  const { deadlineMs, maxBytes = MOST_BYTES, correlationId, injectTrace } = options
  checkMs('deadlineMs', deadlineMs)
  if (!Number.isInteger(maxBytes) || maxBytes < 1)
    throw optionError('maxBytes', maxBytes, 'a whole number of bytes, 1 or more')
  const { idempotencyKey: ownKey, ...content } = Object(message) as SendMailOptions & {
    idempotencyKey?: unknown
  }
  const problems: PostmarkProblem[] = []
  const json = toJson(content, 'message', (problem) => problems.push(problem))
  if (problems.length > 0) throw jobError(problems)
  const open = currentPostmark()
  const scope = correlate(content, open, correlationId)
  const trace: Record<string, string> = {}
  injectTrace?.(trace)
  publishEnqueue({ trace })
  const job: MailJob = {
    version: 1,
    idempotencyKey: readKey(options.idempotencyKey ?? ownKey),
    message: json,
    ...(scope === undefined ? {} : { scope }),
    ...(scope !== undefined && open === undefined ? { unscoped: true as const } : {}),
    ...(Object.keys(trace).length === 0 ? {} : { trace }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  }
  const bytes = Buffer.byteLength(JSON.stringify(job))
  if (bytes > maxBytes) throw jobError([tooLarge(bytes, maxBytes, content)])
  return job
}

/** A job, ready to be sent. */
export interface ReadMailJob extends Omit<MailJob, 'message' | 'version'> {
  readonly message: SendMailOptions & { readonly idempotencyKey: string }
}

/** Reads the data of a job. Returns undefined if {@link toMailJob} did not make it. */
export function fromMailJob(data: unknown): ReadMailJob | undefined {
  const { version, message, ...rest } = Object(data) as MailJob
  const { idempotencyKey } = rest
  if (version !== 1 || typeof idempotencyKey !== 'string' || typeof message !== 'object') return undefined
  return { ...rest, message: { ...(fromJson(message) as SendMailOptions), idempotencyKey } }
}

/** @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function checkMs(name: string, ms: unknown): void {
  if (ms !== undefined && !(typeof ms === 'number' && ms >= 0 && Number.isFinite(ms)))
    throw optionError(name, ms, 'a number of milliseconds, 0 or more')
}

function readKey(given: unknown): string {
  if (given === undefined) return randomUUID()
  if (typeof given === 'string' && given.trim() !== '' && given.isWellFormed()) return given
  throw optionError('idempotencyKey', given, 'a string such as "receipt-1234"')
}

function correlate(
  message: SendMailOptions,
  scope: ParsedPostmarkFields | undefined,
  option: MailJobOptions['correlationId'],
): ParsedPostmarkFields | undefined {
  if (option === undefined || option === false) return scope
  const key = option === true ? 'correlation-id' : option.key
  if (typeof key !== 'string' || key === '') throw optionError('correlationId', option, 'true or { key }')
  const own = Object(message.postmark?.metadata) as object
  const keys = [...Object.keys(own), ...Object.keys(scope?.metadata ?? {})]
  if (keys.some((name) => name.toLowerCase() === key.toLowerCase())) return scope
  return mergeFields(scope ?? {}, { metadata: { [key]: randomUUID() } })
}

function tooLarge(bytes: number, maxBytes: number, message: SendMailOptions): PostmarkProblem {
  const path = message.attachments?.length ? 'message.attachments' : 'message'
  return {
    path,
    found: `makes a job of ${bytes} bytes`,
    limit: `at most ${maxBytes} bytes, because Redis holds jobs in memory`,
    cure: 'Pass attachments as a `path` or URL that the worker can read, or raise `maxBytes`.',
    severity: 'error',
  }
}

function jobError(problems: readonly PostmarkProblem[]): PostmarkError {
  const lines = problems.map(
    ({ path, found, limit, cure }) => `\n  - ${path} ${found} (expected: ${limit}). ${cure}`,
  )
  return new PostmarkError('ERR_POSTMARK_JOB', `The email was not added to the queue:${lines.join('')}`, {
    problems,
  })
}
