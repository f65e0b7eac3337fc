import { SharedBody } from '../message/shared-body.js'
import type { PostmarkProblem } from '../problems/problem.js'
import type { SmtpError } from '../problems/smtp-failure.js'
import type { QuickMail } from './quick-mail.js'

/** What the mails of a batch have in common on their way to the transport. */
export interface Batch {
  /** Whether they may go out on a transactional stream. */
  readonly allowTransactional: boolean
  /** Set once no further mail is to begin: a mail that no session has is given up, and none is tried again. */
  readonly isEnding: boolean
  /** Mails that are given up when the batch ends, unless a session has them. */
  readonly givenUp: Set<() => void>
  /** Called after each attempt that failed. */
  onFailure(error: SmtpError): void
}

/** What one mail of a batch carries along. */
export interface BatchMail {
  readonly batch: Batch
  /** Where its content is that of the others; undefined for a mail with content of its own. */
  readonly content: SharedContent | undefined
  /** Whether it has nothing of its own but recipient, key and Postmark fields. */
  readonly isPlain: boolean
  /** What was wrong in its Postmark fields, or in those of all, before they were merged. */
  readonly problems: readonly PostmarkProblem[]
}

/**
 * Key of a message under which sendMail finds what belongs to its batch. Installed copies of this package share it, with
 * the version of its shape.
 */
export const BATCH: unique symbol = Symbol.for('@postmark-smtp/batch/1') as never

/** The content that the mails of a batch share: that of the last mail which was composed for itself. */
export class SharedContent {
  #body: SharedBody | undefined
  /** A mail from which others are written that differ in their recipient only. */
  quick: QuickMail | undefined

  /**
   * The body of a message whose header blocks are not built yet: one that others have too, or one of its own that others
   * may come to share. Undefined where it cannot be shared.
   */
  find(message: object, ownBoundary: boolean): SharedBody | undefined {
    return this.#body?.takes(message, ownBoundary) ? this.#body : SharedBody.of(message)
  }

  /** Keeps the body of a message that has passed all checks. */
  keep(body: SharedBody): void {
    if (this.#body !== body) this.quick = undefined
    this.#body = body
  }
}
