import type { Failure } from '../problems/smtp-failure.js'
import type { Capabilities } from './capabilities.js'
import type { Reply } from './reply-reader.js'
import type { Transaction } from './transaction.js'

/** What a transaction asks of its session. */
export interface TransactionHost {
  readonly capabilities: Capabilities
  readonly port: number | undefined
  /** Whether the session has served a mail before: only then may a lost connection be one that had long been gone. */
  readonly hasServed: boolean
  /** Writes a command of a transaction that goes one command at a time. */
  writeStep(transaction: Transaction, command: string): void
  /** The server has taken sender and a recipient, and waits for the body. */
  onGoAhead(transaction: Transaction): void
  /** The server refused with a reply of the right form: after a reset the session can be used again. */
  onRefused(transaction: Transaction, failure: Failure): void
  /** What came cannot be trusted: the connection must end. */
  onBroken(transaction: Transaction, failure: Failure): void
  /** The server closes the connection; the end of the channel follows. */
  onGoodbye(transaction: Transaction, failure: Failure): void
  /** The RSET that leads the group was answered. */
  onGroupBegun(): void
  /** The server took the mail. */
  onAccepted(transaction: Transaction, reply: Reply): void
  /**
   * The server did not take the mail as it was sent, and it may go out in another way.
   * @param isBlamed whether that is so since the server cannot take what it offers, and not since it wants to be rid of the session
   */
  onGroupRefused(transaction: Transaction, why: string, isBlamed: boolean): void
}
