import type { FieldOrigins } from '../fields/field-origin.js'
import type { PostmarkProblem } from '../problems/problem.js'
import type { ParsedPostmarkFields, PostmarkField } from '../vocabulary/vocabulary.js'
import type { CompileResult, MailRecord } from './mail-record.js'

/** The fields that an email was sent with, by the names of {@link POSTMARK_FIELDS}. */
type SentFields = {
  readonly [F in Exclude<PostmarkField, 'metadata'>]?: NonNullable<ParsedPostmarkFields[F]>
}

/** What `info.postmark` contains after an email was sent: each field that was sent, whatever its level, and more. */
export interface PostmarkInfo extends SentFields {
  /** The stream that the email named. Undefined means Postmark's `outbound`. */
  readonly messageStream?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** Set if the option `correlationId` is on. */
  readonly correlationId?: string
  /** The host that the email was sent to. Only with `createPostmarkTransport`. */
  readonly host?: string
  readonly port?: number
  /** The number of attempts. Only with `createPostmarkTransport`. */
  readonly attempts?: number
  /**
   * The recipients, if all of them are suppressed and the option `suppressed` is `'skip'`. The email was not sent, and
   * `accepted` is empty. Undefined if the email was sent.
   */
  readonly suppressed?: readonly string[]
  /** Set if the email was already sent under the same idempotency key. This call sent nothing. */
  readonly duplicate?: true
  /** Postmark's ID of an email that was already sent, if a lookup found it. */
  readonly postmarkMessageId?: string
  /** The code with which Postmark refused an email that was already sent, if a lookup found it. @example 406 */
  readonly errorCode?: number
  /**
   * Set if the email was sent but the store could not be updated. The key becomes unknown unless a later update
   * succeeds.
   */
  readonly sendOnce?: 'unsettled'
  /** What was shortened or is doubtful. Empty if there was nothing. */
  readonly warnings: readonly PostmarkProblem[]
  /** The level that each field came from. Not enumerable: it is computed when it is read. */
  readonly origins: FieldOrigins
}

/** Adds `postmark` to the result of sendMail, and keeps what our transport has put there. */
export function addSentInfo(info: unknown, { result }: MailRecord): void {
  if (typeof info !== 'object' || info === null || !result) return
  const sent = info as { postmark?: object }
  sent.postmark = Object.assign(new SentInfo(result), sent.postmark)
}

/** Whether an email was not sent because it had already been sent. */
export function wasSentBefore(info: unknown): boolean {
  return (info as { postmark?: PostmarkInfo } | null | undefined)?.postmark?.duplicate === true
}

/**
 * A class, because defining a getter on each object costs many times as much. That is also why `origins` is not
 * enumerable.
 */
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
