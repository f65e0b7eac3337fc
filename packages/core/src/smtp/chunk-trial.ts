import type { ChannelEnd } from './channel-owner.js'
import type { Shipment, TransactionResult } from './shipment.js'
import type { Transaction } from './transaction.js'

/**
 * The first two emails in flight at once, followed by EHLO. If a server omits a reply or sends an extra one, each later
 * reply would be taken for that of another command, but the reply to EHLO cannot be mistaken. So the result of the two
 * emails is only reported when it arrives in its place.
 */
export class ChunkTrial {
  readonly #held: { readonly transaction: Transaction; readonly result: TransactionResult }[] = []
  #isDoubted = false

  /** Keeps the replies to an email. */
  hold(transaction: Transaction, result: TransactionResult): void {
    this.#held.push({ transaction, result })
  }

  /** The transaction of an email that was answered. */
  find(shipment: Shipment): Transaction | undefined {
    return this.#held.find(({ transaction }) => transaction.shipment === shipment)?.transaction
  }

  /** A reply arrived instead of another one, so no earlier reply counts. */
  doubt(): void {
    this.#isDoubted = true
  }

  /** Each reply was in its place. */
  pass(): void {
    for (const { transaction, result } of this.#held) transaction.settle(result)
  }

  /**
   * The connection has ended. Replies are reported unless they may have been out of place.
   * @param isUnanswered whether the second email has had no reply at all
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
