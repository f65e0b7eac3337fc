import type { Claim, Claimed } from './claim.js'

/** A mail that has an idempotency key. */
export interface ClaimingMail {
  readonly claim: Claim | undefined
  readonly envelope: { readonly to: readonly string[] }
  readonly event: { readonly stream: string }
}

/**
 * Mails that are claimed and wait for a session, at most. When the process dies these become unknown, although
 * none of them was sent: so a long queue is not claimed as a whole.
 */
const MOST_CLAIMED = 32

/** Where mails with an idempotency key wait until the queue takes them: each is claimed before it goes in there. */
export class ClaimGate<T extends ClaimingMail> {
  readonly #onClaimed: (mail: T, claimed: Claimed) => void
  readonly #waiting = new Set<T>()
  readonly #asked = new Set<T>()
  /** Claimed, and in the queue. */
  readonly #claimed = new Set<T>()

  /** @param onClaimed called once for each mail, unless it was removed before */
  constructor(onClaimed: (mail: T, claimed: Claimed) => void) {
    this.#onClaimed = onClaimed
  }

  /** Mails that are not in the queue yet. */
  get size(): number {
    return this.#waiting.size + this.#asked.size
  }

  add(mail: T): void {
    this.#waiting.add(mail)
    this.#open()
  }

  /** A session has the mail, or it is through; false where it was in the queue already, or never here. */
  remove(mail: T): boolean {
    const wasHere = this.#waiting.delete(mail) || this.#asked.delete(mail)
    if (wasHere || this.#claimed.delete(mail)) this.#open()
    return wasHere
  }

  #open(): void {
    for (const mail of this.#waiting) {
      if (this.#asked.size + this.#claimed.size >= MOST_CLAIMED) return
      this.#waiting.delete(mail)
      this.#asked.add(mail)
      mail.claim!.take(mail.envelope.to, mail.event.stream, (claimed) => {
        if (!this.#asked.delete(mail)) return
        if (claimed.kind === 'held') this.#claimed.add(mail)
        this.#onClaimed(mail, claimed)
        this.#open()
      })
    }
  }
}
