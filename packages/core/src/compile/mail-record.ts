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

/** What the compile step decided about a mail. */
export interface CompileResult {
  readonly fields: ParsedPostmarkFields
  readonly correlationId: string | undefined
  /** Works out which level each field came from. */
  origins(): FieldOrigins
  readonly warnings: readonly PostmarkProblem[]
  /** The hash of its idempotency key. */
  readonly reference?: string | undefined
  /** The Postmark header lines exactly as they go out, each without its final line break. */
  readonly lines: readonly string[]
  /** Opens a message given as a large file, with its lines in front, for one attempt to send it. */
  readonly openRaw: (() => Readable) | undefined
}

/**
 * Everything that is known of one mail, from the call of sendMail to its outcome. There is one for each Nodemailer
 * mail; {@link recordOf} finds it. Its shape is shared by installed copies of this package: see `KEY`.
 */
export class MailRecord {
  /** The open scopes, read when sendMail was called. */
  readonly context: readonly ContextLevel[] = contextLevels()
  /** `postmark` of the message. */
  readonly message: Reading
  /** Explicit Postmark headers of the message. */
  readonly headers: HeaderReading
  /** Its number in events, where somebody listened when sendMail was called. */
  eventId: number | undefined
  /** When that was, on the monotonic clock. */
  calledAt: number | undefined
  /** Metadata that who listens has added. */
  added: Record<string, string> | undefined
  /** Content of the message that cannot be read, which rejects in any mode. */
  unreadable: readonly PostmarkProblem[] = NO_PROBLEMS
  /** `idempotencyKey` of the message. */
  idempotencyKey: unknown
  /** Of a mail that sendBatch sends. */
  batch: BatchMail | undefined
  /** The fields of its message, as sendMail took them, where others of the batch may be written from it. */
  fields: Readonly<Record<string, unknown>> | undefined
  /** Its content, where others of the batch have it too; known once it is sealed. */
  body: SharedBody | undefined
  /** Nodemailer's object for the mail; undefined until it reaches the compile step. */
  mail: object | undefined
  /** Undefined until the compile step is done. */
  result: CompileResult | undefined
  /** Why the message was broken off while it was read: it was not sent, whatever else is said. */
  brokenOff: PostmarkProblem | undefined
  /** The recipients, where all are suppressed and the mail is passed over without an error. */
  skipped: readonly string[] | undefined
  /** Whether the header block is final: nothing is written to it after that. */
  sealed = false
  /** Whether the transport has it: until then no server can know of it. */
  handedOver = false
  /** Whether sendMail has reported; a mail that has failed is not handed over any more. */
  settled = false
  /** Answers sendMail; undefined without attachPostmark, and from when it was called. */
  report: ((error: unknown, info?: unknown) => void) | undefined

  /** @param further problems of `postmark` that are not to be seen in it any more */
  constructor(
    postmark: unknown,
    headers: readonly GivenHeader[],
    lenient?: boolean,
    further: readonly PostmarkProblem[] = NO_PROBLEMS,
  ) {
    this.message = withProblems(readFields(postmark, 'postmark'), further)
    this.headers = readHeaders(headers, 'headers', lenient)
  }

  /** The stream that the mail names, as far as that is known before it is compiled; null where the nearest level clears it. */
  get nearestStream(): string | null | undefined {
    const { headers, message, context } = this
    let stream = headers.fields.messageStream
    if (stream === undefined) stream = message.fields.messageStream
    for (let index = context.length - 1; stream === undefined && index >= 0; index--)
      stream = context[index]!.fields.messageStream
    // What is no stream refuses the mail, and may be anything, an address as well.
    return stream && streamProblem(stream, '') ? undefined : stream
  }

  /** Answers sendMail, the first time; returns false where that was done, or is not for us to do. */
  settle(error: unknown, info?: unknown): boolean {
    const { report } = this
    if (!report) return false
    this.settled = true
    this.report = undefined
    report(error, info)
    return true
  }

  /** Keeps the record out of what a JSON transport writes. */
  toJSON(): undefined {
    return undefined
  }
}

function withProblems({ fields, problems }: Reading, further: readonly PostmarkProblem[]): Reading {
  const isNew = ({ path }: PostmarkProblem) => problems.every((problem) => problem.path !== path)
  return { fields, problems: further.length > 0 ? [...problems, ...further.filter(isNew)] : problems }
}

/**
 * Key of the message data under which a record travels: the only thing that Nodemailer carries from sendMail to the
 * plugins and the transport. A string, since Nodemailer 7 copies no symbols, with the version of the record's shape.
 */
const KEY = '@postmark-smtp/mail/1'

interface Carrier {
  readonly data: object
}

/** The record of a Nodemailer mail; undefined where neither sendMail nor the compile step has made one. */
export function recordOf(mail: Carrier): MailRecord | undefined {
  const record = (mail.data as { [KEY]?: MailRecord })[KEY]
  // Who sends the data of an earlier mail again gives its record along: that one is another mail's.
  return record && (record.mail === undefined || record.mail === mail) ? record : undefined
}

/** Puts the record where {@link recordOf} finds it. */
export function carryRecord(data: object, record: MailRecord): void {
  ;(data as { [KEY]?: MailRecord })[KEY] = record
}

/** Keeps count of the mails of a transport, from the call of sendMail on: `close` waits for them. */
export interface MailRegistry {
  /** Takes a mail; returns the error that it is refused with where no more are taken. */
  enter(record: MailRecord): Error | undefined
  /** @param error why the mail was not sent, where it was not */
  leave(record: MailRecord, error?: unknown): void
}
