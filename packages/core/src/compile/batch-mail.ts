import { SharedBody } from '../message/shared-body.js'
import type { PostmarkProblem } from '../problems/problem.js'
import type { SmtpError } from '../problems/smtp-failure.js'
import type { QuickMail } from './quick-mail.js'

/** What the emails of a batch share on their way to the transport. */
export interface Batch {
  /** Whether they may be sent on a transactional stream. */
  readonly allowTransactional: boolean
  /** Set once no further mail may begin: emails without a session are given up, and none is retried. */
  readonly isEnding: boolean
  /** Emails that are given up when the batch ends, unless a session already has them. */
  readonly givenUp: Set<() => void>
  /** Called after each attempt that failed. */
  onFailure(error: SmtpError): void
}

/** What each email of a batch carries. */
export interface BatchMail {
  readonly batch: Batch
  /** Holds the shared content. Undefined if the email has its own content. */
  readonly content: SharedContent | undefined
  /** Whether only its recipient, key and Postmark fields differ. */
  readonly isPlain: boolean
  /** Problems in its Postmark fields, or in the shared ones, from before they were merged. */
  readonly problems: readonly PostmarkProblem[]
}

/**
 * The message key under which sendMail finds what belongs to its batch. Installed copies of this package share it, so
 * it contains the version of its shape.
 */
export const BATCH: unique symbol = Symbol.for('@postmark-smtp/batch/1') as never

/** The content that the emails of a batch share: that of the last email that was composed individually. */
export class SharedContent {
  #body: SharedBody | undefined
  /** An email that serves as a template for others that differ only in their recipient. */
  quick: QuickMail | undefined

  /**
   * The body of a message whose header blocks are not built yet: a shared one, or its own, which others may share
   * later. Undefined if it cannot be shared.
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
