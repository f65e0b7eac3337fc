import type { SharedBody } from '../message/shared-body.js'
import type { SmtpError } from '../problems/smtp-failure.js'
import { abortError, type Stoppable } from './follow-signal.js'
import type { Place } from './place.js'

/** What a mail of a batch brings along. */
export interface BatchPart {
  /** What follows its header block, where other mails have that too. */
  readonly body: SharedBody | undefined
  readonly batch: BatchEnd
}

/** What the mails of a batch have in common until they are through. */
interface BatchEnd {
  /** Whether the batch ends, and no mail of it is to be tried again. */
  readonly isEnding: boolean
  readonly givenUp: Set<() => void>
  onFailure(error: SmtpError): void
}

/** What ties a mail to its batch: when that ends, a mail that is under way is finished, and any other is given up. */
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
    // Later, when its route has decided where the mail goes now.
    if (this.#batch.isEnding) process.nextTick(this.#giveUp)
  }

  /** The mail is through. */
  end(): void {
    this.#batch.givenUp.delete(this.#giveUp)
  }
}
