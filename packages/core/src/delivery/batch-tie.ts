import type { SharedBody } from '../message/shared-body.js'
import type { SmtpError } from '../problems/smtp-failure.js'
import { abortError, type Stoppable } from './follow-signal.js'
import type { Place } from './place.js'

/** What an email of a batch carries. */
export interface BatchPart {
  /** Everything after its header block, if other emails share it. */
  readonly body: SharedBody | undefined
  readonly batch: BatchEnd
}

/** What the emails of a batch share until they are finished. */
interface BatchEnd {
  /** Whether the batch is ending, so that none of its emails is retried. */
  readonly isEnding: boolean
  readonly givenUp: Set<() => void>
  onFailure(error: SmtpError): void
}

/** Ties an email to its batch. When the batch ends, emails in progress are finished, and all others are given up. */
export class BatchTie {
  readonly #batch: BatchEnd
  readonly #giveUp: () => void

  constructor(batch: BatchEnd, mail: Stoppable & { readonly place: Place }) {
    this.#batch = batch
    this.#giveUp = () => {
      if (mail.place.name !== 'session') mail.stop(abortError(undefined, mail.event.phase))
    }
    batch.givenUp.add(this.#giveUp)
    if (batch.isEnding) process.nextTick(this.#giveUp)
  }

  onFailure(error: SmtpError): void {
    this.#batch.onFailure(error)
    // Later, once its route has decided where the email goes.
    if (this.#batch.isEnding) process.nextTick(this.#giveUp)
  }

  /** The email is finished. */
  end(): void {
    this.#batch.givenUp.delete(this.#giveUp)
  }
}
