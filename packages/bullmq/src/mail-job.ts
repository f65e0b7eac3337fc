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

/** A mail as the data of a job: plain JSON, made by {@link toMailJob} and read by {@link createMailProcessor}. */
export interface MailJob {
  /** The form of this object. */
  readonly version: 1
  /** The key under which the mail goes out at most once. */
  readonly idempotencyKey: string
  /** The message, with Buffers and dates in a form of our own. */
  readonly message: Json
  /** The fields of the scope in which the job was made. */
  readonly scope?: ParsedPostmarkFields
  /** Whether no scope was open there, and `scope` has a correlation ID only. */
  readonly unscoped?: true
  /** The trace context of the caller. @example { traceparent: '00-…' } */
  readonly trace?: Readonly<Record<string, string>>
  /** How long after its creation, and its `delay`, the job may wait for what is no fault of its mail. */
  readonly deadlineMs?: number
}

/** What {@link toMailJob} takes besides the message. */
export interface MailJobOptions {
  /**
   * The key under which the mail goes out at most once. Default: that of the message, else a random one, so that a job
   * that runs twice sends one mail. @example 'receipt-1234'
   */
  readonly idempotencyKey?: string | undefined
  /**
   * How long after its creation, and its `delay`, the job may wait for a server that takes no mail for now, in
   * milliseconds. Default: the processor's.
   */
  readonly deadlineMs?: number | undefined
  /** How large the job may be as JSON, in bytes, since Redis holds it in memory. Default 2,000,000. */
  readonly maxBytes?: number | undefined
  /**
   * Gives the mail a correlation ID in its metadata, which all attempts share, unless scope or message have one. True
   * names it `correlation-id`. Default false.
   */
  readonly correlationId?: boolean | { readonly key: string } | undefined
  /**
   * Writes the trace context of the caller into the job. Default: none is carried.
   * @example (carrier) => propagation.inject(context.active(), carrier)
   */
  readonly injectTrace?: ((carrier: Record<string, string>) => void) | undefined
}

const OPTIONS = ['idempotencyKey', 'deadlineMs', 'maxBytes', 'correlationId', 'injectTrace']
const MOST_BYTES = 2_000_000

/**
 * Makes the data of a job from a message, with the fields of the scope that is open here. It is called synchronously in
 * the caller's scope.
 * @example await queue.add('mail', toMailJob(message), { attempts: 10, backoff: { type: 'mail' } })
 * @throws PostmarkError ERR_POSTMARK_JOB where the message does not survive JSON, or is too large
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

/** Reads the data of a job; undefined where it is none that {@link toMailJob} has made. */
export function fromMailJob(data: unknown): ReadMailJob | undefined {
  const { version, message, ...rest } = Object(data) as MailJob
  const { idempotencyKey } = rest
  if (version !== 1 || typeof idempotencyKey !== 'string' || typeof message !== 'object') return undefined
  return { ...rest, message: { ...(fromJson(message) as SendMailOptions), idempotencyKey } }
}

/** @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function checkMs(name: string, ms: unknown): void {
  if (ms !== undefined && !(typeof ms === 'number' && ms >= 0 && Number.isFinite(ms)))
    throw optionError(name, ms, 'milliseconds, 0 or more')
}

function readKey(given: unknown): string {
  if (given === undefined) return randomUUID()
  if (typeof given === 'string' && given.trim() !== '' && given.isWellFormed()) return given
  throw optionError('idempotencyKey', given, 'a text such as "receipt-1234"')
}

function correlate(
  message: SendMailOptions,
  scope: ParsedPostmarkFields | undefined,
  option: MailJobOptions['correlationId'],
): ParsedPostmarkFields | undefined {
  if (option === undefined || option === false) return scope
  const key = option === true ? 'correlation-id' : option.key
  if (typeof key !== 'string' || key === '') throw optionError('correlationId', option, 'true, or { key }')
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
    limit: `at most ${maxBytes} bytes, since Redis holds jobs in memory`,
    cure: 'Give attachments by a `path` or URL that the worker can read, or raise `maxBytes`.',
    severity: 'error',
  }
}

function jobError(problems: readonly PostmarkProblem[]): PostmarkError {
  const lines = problems.map(({ path, found, limit, cure }) => `\n  - ${path} ${found} (${limit}). ${cure}`)
  return new PostmarkError('ERR_POSTMARK_JOB', `The mail was not put into the queue:${lines.join('')}`, {
    problems,
  })
}
