import type { FieldOrigins } from '../fields/field-origin.js'
import type { PostmarkProblem } from '../problems/problem.js'
import type { ParsedPostmarkFields, PostmarkField } from '../vocabulary/vocabulary.js'
import type { CompileResult, MailRecord } from './mail-record.js'

/** The fields that a mail was sent with, by the names of {@link POSTMARK_FIELDS}. */
type SentFields = {
  readonly [F in Exclude<PostmarkField, 'metadata'>]?: NonNullable<ParsedPostmarkFields[F]>
}

/** What `info.postmark` says of a sent mail: each field that was sent, whatever level it came from, and more. */
export interface PostmarkInfo extends SentFields {
  /** The stream that the mail named; undefined means Postmark's `outbound`. */
  readonly messageStream?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** Set where the option `correlationId` is on. */
  readonly correlationId?: string
  /** Where the mail went; only from `createPostmarkTransport`. */
  readonly host?: string
  readonly port?: number
  /** How often it was tried; only from `createPostmarkTransport`. */
  readonly attempts?: number
  /**
   * The recipients, where all are suppressed and the option `suppressed` is `'skip'`: the mail was not sent, and
   * `accepted` is empty. Undefined for a mail that was sent.
   */
  readonly suppressed?: readonly string[]
  /** Set where the mail was sent before under the same idempotency key: this call has sent nothing. */
  readonly duplicate?: true
  /** Postmark's ID of a mail that was sent before, where a look-up has found it. */
  readonly postmarkMessageId?: string
  /** Why Postmark refused a mail that was sent before, where a look-up has found that out. @example 406 */
  readonly errorCode?: number
  /** Set where the mail was sent and the store could not be told so: its key becomes unknown, unless that succeeds later. */
  readonly sendOnce?: 'unsettled'
  /** What was fitted or is doubtful; empty when nothing was. */
  readonly warnings: readonly PostmarkProblem[]
  /** Which level each field came from. Not enumerable: it is worked out when it is asked for. */
  readonly origins: FieldOrigins
}

/** Adds `postmark` to what sendMail resolves to; what a transport of ours says there of its own stays. */
export function addSentInfo(info: unknown, { result }: MailRecord): void {
  if (typeof info !== 'object' || info === null || !result) return
  const sent = info as { postmark?: object }
  sent.postmark = Object.assign(new SentInfo(result), sent.postmark)
}

/** Whether a mail was not sent, since it had been sent before. */
export function wasSentBefore(info: unknown): boolean {
  return (info as { postmark?: PostmarkInfo } | null | undefined)?.postmark?.duplicate === true
}

/** A class, since a getter that is defined on each object costs many times as much; so `origins` is not enumerable. */
class SentInfo implements PostmarkInfo {
  declare readonly metadata?: Readonly<Record<string, string>>
  declare readonly correlationId?: string
  readonly warnings: readonly PostmarkProblem[]
  readonly #origins: () => FieldOrigins

  constructor({ fields, correlationId, warnings, origins }: CompileResult) {
    for (const field in fields) {
      const value = fields[field as PostmarkField]
      if (value !== null && value !== undefined) (this as Record<string, unknown>)[field] = value
    }
    if (correlationId !== undefined) this.correlationId = correlationId
    this.warnings = warnings
    this.#origins = origins
  }

  get origins(): FieldOrigins {
    return this.#origins()
  }
}
