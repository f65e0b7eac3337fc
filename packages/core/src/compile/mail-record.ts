import type { Readable } from 'node:stream'
import type { ContextLevel } from '../context/context.js'
import { contextLevels } from '../context/context.js'
import type { FieldOrigins } from '../fields/field-origin.js'
import type { Reading } from '../fields/read-fields.js'
import { readFields } from '../fields/read-fields.js'
import { streamProblem } from '../fields/stream-problem.js'
import type { GivenHeader } from '../message/header-shapes.js'
import type { HeaderReading } from '../message/message-headers.js'
import { readHeaders } from '../message/message-headers.js'
import type { SharedBody } from '../message/shared-body.js'
import { NO_PROBLEMS, type PostmarkProblem } from '../problems/problem.js'
import type { ParsedPostmarkFields } from '../vocabulary/vocabulary.js'
import type { BatchMail } from './batch-mail.js'

/** What the compile step decided about an email. */
export interface CompileResult {
  readonly fields: ParsedPostmarkFields
  readonly correlationId: string | undefined
  /** Determines which level each field came from. */
  origins(): FieldOrigins
  readonly warnings: readonly PostmarkProblem[]
  /** The hash of its idempotency key. */
  readonly reference?: string | undefined
  /** The Postmark header lines exactly as they are sent, each without its final line break. */
  readonly lines: readonly string[]
  /** Opens a message given as a large file, with its lines in front, for one attempt to send it. */
  readonly openRaw: (() => Readable) | undefined
}

/**
 * Everything that is known about one email, from the call of sendMail to its outcome. There is one record for each
 * Nodemailer mail; {@link recordOf} finds it. Installed copies of this package share its shape: see `KEY`.
 */
export class MailRecord {
  /** The open scopes, read when sendMail was called. */
  readonly context: readonly ContextLevel[] = contextLevels()
  /** `postmark` of the message. */
  readonly message: Reading
  /** Explicit Postmark headers of the message. */
  readonly headers: HeaderReading
  /** Its number in events, if anyone was listening when sendMail was called. */
  eventId: number | undefined
  /** The time of that call, on the monotonic clock. */
  calledAt: number | undefined
  /** Metadata that listeners have added. */
  added: Record<string, string> | undefined
  /** Content of the message that cannot be read, which rejects in any mode. */
  unreadable: readonly PostmarkProblem[] = NO_PROBLEMS
  /** `idempotencyKey` of the message. */
  idempotencyKey: unknown
  /** Set for an email of sendBatch. */
  batch: BatchMail | undefined
  /** The fields of its message, as sendMail read them, if other emails of the batch may be written from it. */
  fields: Readonly<Record<string, unknown>> | undefined
  /** Its content, if it is shared within the batch. Known once the email is sealed. */
  body: SharedBody | undefined
  /** Nodemailer's object for the email; undefined until it reaches the compile step. */
  mail: object | undefined
  /** Undefined until the compile step is done. */
  result: CompileResult | undefined
  /** Why reading the message was aborted. The email was not sent, whatever else is reported. */
  brokenOff: PostmarkProblem | undefined
  /** The recipients, if all are suppressed and the email is skipped without an error. */
  skipped: readonly string[] | undefined
  /** Whether the header block is final. Nothing is written to it after that. */
  sealed = false
  /** Whether the transport has it. Until then, no server can know about it. */
  handedOver = false
  /** Whether sendMail has settled. An email that has failed is no longer handed over. */
  settled = false
  /** Settles sendMail. Undefined without attachPostmark, and once it has been called. */
  report: ((error: unknown, info?: unknown) => void) | undefined

  /** @param further problems of `postmark` that can no longer be seen in it */
  constructor(
    postmark: unknown,
    headers: readonly GivenHeader[],
    lenient?: boolean,
    further: readonly PostmarkProblem[] = NO_PROBLEMS,
  ) {
    this.message = withProblems(readFields(postmark, 'postmark'), further)
    this.headers = readHeaders(headers, 'headers', lenient)
  }

  /**
   * The stream that the email names, as far as it is known before the email is compiled. Null if the nearest level clears
   * it.
   */
  get nearestStream(): string | null | undefined {
    const { headers, message, context } = this
    let stream = headers.fields.messageStream
    if (stream === undefined) stream = message.fields.messageStream
    for (let index = context.length - 1; stream === undefined && index >= 0; index--)
      stream = context[index]!.fields.messageStream
    // An invalid stream rejects the email. It may be anything, even an address.
    return stream && streamProblem(stream, '') ? undefined : stream
  }

  /** Settles sendMail the first time. Returns false if it has already settled, or is not ours to settle. */
  settle(error: unknown, info?: unknown): boolean {
    const { report } = this
    if (!report) return false
    this.settled = true
    this.report = undefined
    report(error, info)
    return true
  }

  /** Keeps the record out of the output of a JSON transport. */
  toJSON(): undefined {
    return undefined
  }
}

function withProblems({ fields, problems }: Reading, further: readonly PostmarkProblem[]): Reading {
  const isNew = ({ path }: PostmarkProblem) => problems.every((problem) => problem.path !== path)
  return { fields, problems: further.length > 0 ? [...problems, ...further.filter(isNew)] : problems }
}

/**
 * The key of the message data that carries a record: the only thing that Nodemailer passes from sendMail to the plugins
 * and the transport. It is a string, because Nodemailer 7 does not copy symbols, and contains the version of the
 * record's shape.
 */
const KEY = '@postmark-smtp/mail/1'

interface Carrier {
  readonly data: object
}

/** The record of a Nodemailer mail. Undefined if neither sendMail nor the compile step has created one. */
export function recordOf(mail: Carrier): MailRecord | undefined {
  const record = (mail.data as { [KEY]?: MailRecord })[KEY]
  // If the data of an earlier email is sent again, it contains that email's record, which belongs to the other email.
  return record && (record.mail === undefined || record.mail === mail) ? record : undefined
}

/** Puts the record where {@link recordOf} finds it. */
export function carryRecord(data: object, record: MailRecord): void {
  ;(data as { [KEY]?: MailRecord })[KEY] = record
}

/** Counts the emails of a transport, from the call of sendMail on. `close` waits for them. */
export interface MailRegistry {
  /** Accepts an email. Returns the error to reject it with if no more are accepted. */
  enter(record: MailRecord): Error | undefined
  /** @param error why the email was not sent, if so */
  leave(record: MailRecord, error?: unknown): void
}
