import type { Claim, Claimed } from './claim.js'

/** An email that has an idempotency key. */
export interface ClaimingMail {
  readonly claim: Claim | undefined
  readonly envelope: { readonly to: readonly string[] }
  readonly event: { readonly stream: string }
}

/**
 * The maximum number of claimed emails that wait for a session. If the process dies, these become unknown although none
 * of them was sent, so a long queue is not claimed all at once.
 */
const MOST_CLAIMED = 32

/** Where emails with an idempotency key wait before the queue. Each email is claimed before it enters the queue. */
export class ClaimGate<T extends ClaimingMail> {
  readonly #onClaimed: (mail: T, claimed: Claimed) => void
  readonly #waiting = new Set<T>()
  readonly #asked = new Set<T>()
  /** Claimed, and in the queue. */
  readonly #claimed = new Set<T>()

  /** @param onClaimed called once for each email, unless it was removed before */
  constructor(onClaimed: (mail: T, claimed: Claimed) => void) {
    this.#onClaimed = onClaimed
  }

  /** Emails that are not in the queue yet. */
  get size(): number {
    return this.#waiting.size + this.#asked.size
  }

  add(mail: T): void {
    this.#waiting.add(mail)
    this.#open()
  }

  /** A session has the email, or the email is finished. Returns false if it was already in the queue, or never here. */
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
