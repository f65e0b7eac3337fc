import type { SandboxMail } from '../mail/sandbox-mail.js'
import type { SandboxBounce } from './bounce.js'

/** The kinds of webhook that the sandbox sends. */
export type RecordType = 'Delivery' | 'Bounce' | 'SpamComplaint' | 'Open' | 'Click' | 'SubscriptionChange'

/** Something that happened to an email after it was accepted. */
export interface SandboxEvent {
  readonly id: number
  readonly recordType: RecordType
  readonly at: Date
  readonly recipient: string
  /** The message stream that it belongs to. */
  readonly stream: string
  /** Undefined for a suppression that was made by hand. */
  readonly mail: SandboxMail | undefined
  /** The bounce that it reports, for Bounce and SpamComplaint. */
  readonly bounce?: SandboxBounce
  /** The body that a webhook posts. Made at the first access. */
  readonly payload: Readonly<Record<string, unknown>>
}
