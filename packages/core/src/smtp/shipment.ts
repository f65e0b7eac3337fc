import type { Readable } from 'node:stream'
import type { Failure, SendPhase, SmtpError } from '../problems/smtp-failure.js'
import type { EncodedBody } from './body-encoder.js'
import type { Envelope } from './envelope.js'

/** What a mail consists of: the whole in memory, or a stream that is opened once the server has asked for it. */
export type Content =
  | ({ readonly kind: 'whole' } & EncodedBody)
  /** `open` is called after 354, and not twice for one transaction. */
  | { readonly kind: 'stream'; open(): Readable }

/** A mail as a session takes it: whoever made it owns the mail until `settle`, which is called exactly once. */
export interface Shipment {
  readonly envelope: Envelope
  readonly content: Content
  /** Whether it belongs to a batch, of which more may be in flight. */
  readonly isOfBatch: boolean
  /** Told how far the mail is. */
  onPhase(phase: SendPhase): void
  /**
   * Asked in the tick of the write that ends the body, or that holds the whole mail: false lets nothing of it out. This is the fence of a lease:
   * a mail whose claim may be over is not sent.
   */
  mayFinish(): boolean
  settle(result: TransactionResult): void
}

/** How a transaction ended. */
export type TransactionResult = { readonly sent: SentMail } | Failure

/** What the server said of a mail that it took. */
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
  /** Bytes of the body as it was sent. */
  readonly messageSize: number
}
