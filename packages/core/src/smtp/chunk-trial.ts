import type { ChannelEnd } from './channel-owner.js'
import type { Shipment, TransactionResult } from './shipment.js'
import type { Transaction } from './transaction.js'

/**
 * The first two mails that are in flight at once, with EHLO after them. A server that leaves a reply out, or says one too
 * many, makes each later reply pass for that of another command; the reply to EHLO passes for none. So what came of the
 * two mails is told only when it has come in its place.
 */
export class ChunkTrial {
  readonly #held: { readonly transaction: Transaction; readonly result: TransactionResult }[] = []
  #isDoubted = false

  /** Keeps what was answered of a mail. */
  hold(transaction: Transaction, result: TransactionResult): void {
    this.#held.push({ transaction, result })
  }

  /** The transaction of a mail that was answered. */
  find(shipment: Shipment): Transaction | undefined {
    return this.#held.find(({ transaction }) => transaction.shipment === shipment)?.transaction
  }

  /** A reply has come in the place of another: whatever was answered counts for nothing. */
  doubt(): void {
    this.#isDoubted = true
  }

  /** Each reply was in its place. */
  pass(): void {
    for (const { transaction, result } of this.#held) transaction.settle(result)
  }

  /**
   * The connection has ended. What was answered is told, unless replies may have been out of place.
   * @param isUnanswered whether the second mail has had no reply at all
   */
  end(end: ChannelEnd, limitMs: number, isUnanswered: boolean): void {
    const isDoubted = this.#isDoubted || end.kind === 'protocol' || (end.kind === 'late' && !isUnanswered)
    if (!isDoubted) this.pass()
    else
      for (const { transaction } of this.#held)
        transaction.settle(transaction.errors.ended(end.kind === 'late' ? end : OUT_OF_PLACE, limitMs))
  }
}

const OUT_OF_PLACE: ChannelEnd = { kind: 'protocol', what: 'its replies do not match the commands' }
