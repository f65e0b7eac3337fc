import type { Readable } from 'node:stream'
import type { Failure, SendPhase, SmtpError } from '../problems/smtp-failure.js'
import type { EncodedBody } from './body-encoder.js'
import type { Envelope } from './envelope.js'

/** The content of an email: all of it in memory, or a stream that is opened once the server has asked for it. */
export type Content =
  | ({ readonly kind: 'whole' } & EncodedBody)
  /** `open` is called after 354, and not twice for one transaction. */
  | { readonly kind: 'stream'; open(): Readable }

/** An email as passed to a session. Its creator owns it until `settle`, which is called exactly once. */
export interface Shipment {
  readonly envelope: Envelope
  readonly content: Content
  /** Whether it belongs to a batch, for which more emails may be in flight. */
  readonly isOfBatch: boolean
  /** Called with the progress of the email. */
  onPhase(phase: SendPhase): void
  /**
   * Called in the same tick as the write that ends the body or contains the whole email. If it returns false, nothing of
   * that is sent. This is the fence of a lease: an email whose claim may have expired is not sent.
   */
  mayFinish(): boolean
  settle(result: TransactionResult): void
}

/** How a transaction ended. */
export type TransactionResult = { readonly sent: SentMail } | Failure

/** What the server said about an email that it accepted. */
export interface SentMail {
  readonly accepted: readonly string[]
  readonly rejected: readonly string[]
  readonly rejectedErrors: readonly SmtpError[]
  /** The reply to the body. @example '250 2.0.0 Ok: queued as 4D5E6F' */
  readonly response: string
  /** From MAIL to the go-ahead for the body, in milliseconds. */
  readonly envelopeTime: number
  /** From the go-ahead to the reply, in milliseconds. */
  readonly messageTime: number
  /** The size of the body in bytes, as it was sent. */
  readonly messageSize: number
}
