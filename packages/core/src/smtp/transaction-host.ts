import type { Failure } from '../problems/smtp-failure.js'
import type { Capabilities } from './capabilities.js'
import type { Reply } from './reply-reader.js'
import type { Transaction } from './transaction.js'

/** What a transaction needs from its session. */
export interface TransactionHost {
  readonly capabilities: Capabilities
  readonly port: number | undefined
  /** Whether the session has carried an email before. Only then may a lost connection have been gone for long. */
  readonly hasServed: boolean
  /** Writes a command of a transaction that sends one command at a time. */
  writeStep(transaction: Transaction, command: string): void
  /** The server has accepted the sender and a recipient, and waits for the body. */
  onGoAhead(transaction: Transaction): void
  /** The server refused with a valid reply. After a reset the session can be used again. */
  onRefused(transaction: Transaction, failure: Failure): void
  /** What arrived cannot be trusted: the connection must end. */
  onBroken(transaction: Transaction, failure: Failure): void
  /** The server closes the connection. The end of the channel follows. */
  onGoodbye(transaction: Transaction, failure: Failure): void
  /** The RSET at the start of the group was answered. */
  onGroupBegun(): void
  /** The server accepted the email. */
  onAccepted(transaction: Transaction, reply: Reply): void
  /**
   * The server did not accept the email in the way it was sent. It may be sent in another way.
   * @param isBlamed true if the server cannot handle what it offers, false if it only wants to end the session
   */
  onGroupRefused(transaction: Transaction, why: string, isBlamed: boolean): void
}
