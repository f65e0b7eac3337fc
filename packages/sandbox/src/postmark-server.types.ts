import type { BounceTypeName } from '@postmark-smtp/core'
import type { MailEnvelope, SandboxMail } from './sandbox-mail.js'

/** Which of Postmark's two hosts a listener stands for. */
export type StreamType = 'transactional' | 'broadcasts'

/** A message stream of the sandbox's server. */
export interface SandboxStream {
  /** @example 'broadcast' */
  readonly id: string
  readonly type: StreamType | 'inbound'
  readonly name: string
  readonly archived: boolean
}

/** One reason for which Postmark would refuse a mail. */
export interface VerdictProblem {
  /** Postmark's error code. @example 406 */
  readonly errorCode: number
  /** What Postmark's API says then, in its words as far as they are documented. */
  readonly message: string
  /** Where it stands, as preflight names it. @example 'metadata.order-id' */
  readonly path: string
  readonly cure: string
}

/** What Postmark would have done with a mail behind its `250`. */
export interface Verdict {
  /** `sent`, or `refused` with a bounce of the type SMTPApiError. */
  readonly outcome: 'sent' | 'refused'
  readonly problems: readonly VerdictProblem[]
  /** What is not known of Postmark and what the sandbox chose; and what Postmark ignores without a word. */
  readonly notes: readonly string[]
}

/** A bounce as `GET /bounces` and the Bounce webhook show it. */
export interface SandboxBounce {
  readonly id: number
  readonly type: BounceTypeName
  readonly typeCode: number
  readonly name: string
  readonly mail: SandboxMail
  readonly recipient: string
  readonly at: Date
  readonly description: string
  readonly details: string
  /** Postmark's error code, where the type is SMTPApiError. */
  readonly errorCode?: number
  /** Whether the address is suppressed because of it. */
  readonly inactive: boolean
  readonly canActivate: boolean
  /** The raw source, as `GET /bounces/{id}/dump` returns it. */
  readonly dump: string
}

/** The kinds of webhook that the sandbox sends. */
export type RecordType = 'Delivery' | 'Bounce' | 'SpamComplaint' | 'Open' | 'Click' | 'SubscriptionChange'

/** Something that happened to a mail behind its acceptance. */
export interface SandboxEvent {
  readonly id: number
  readonly recordType: RecordType
  readonly at: Date
  readonly recipient: string
  /** The stream it belongs to. */
  readonly stream: string
  /** None for a suppression that was made by hand. */
  readonly mail: SandboxMail | undefined
  /** The bounce behind it, for Bounce and SpamComplaint. */
  readonly bounce?: SandboxBounce
  /** The body that a webhook posts. */
  readonly payload: Readonly<Record<string, unknown>>
}

/** Why an address is suppressed on a stream, in Postmark's words. */
export type SuppressionReason = 'HardBounce' | 'SpamComplaint' | 'ManualSuppression'

/** An address that a stream sends nothing to. */
export interface SandboxSuppression {
  readonly stream: string
  readonly address: string
  readonly reason: SuppressionReason
  readonly origin: 'Recipient' | 'Customer' | 'Admin'
  readonly at: Date
}

/** The settings of the server that mails see the effect of; `GET /server` shows them. */
export interface ServerSettings {
  readonly name: string
  readonly smtpApiActivated: boolean
  /** Whether an SMTPApiError leaves as a Bounce webhook. Off by default, as at Postmark. */
  readonly enableSmtpApiErrorHooks: boolean
  readonly trackOpens: boolean
  readonly trackLinks: 'None' | 'HtmlAndText' | 'HtmlOnly' | 'TextOnly'
}

/** How a mail came in. */
export interface Arrival {
  readonly secure: boolean
  /** The host that its listener stands for; undefined where one listener stands for both. */
  readonly host: StreamType | undefined
  /** The stream of the SMTP token that had logged in. */
  readonly tokenStream: string | undefined
}

/** What happens in the server, for the page, webhooks and those who wait. */
export interface ServerEvents {
  mail: [mail: SandboxMail]
  event: [event: SandboxEvent]
  /** Mails were removed: by `clear`, or the oldest by the cap. */
  removed: []
}

/** Postmark's side behind the SMTP dialogue: the state of one server, and its rules. */
export interface PostmarkServer {
  readonly settings: ServerSettings
  change(settings: Partial<ServerSettings>): void
  /** The current time, which a test can advance. */
  now(): Date

  readonly streams: readonly SandboxStream[]
  readonly mails: readonly SandboxMail[]
  readonly bounces: readonly SandboxBounce[]
  readonly suppressions: readonly SandboxSuppression[]

  /** The mail with this MessageID. */
  findMail(messageId: string): SandboxMail | undefined
  findBounce(id: number): SandboxBounce | undefined
  /** What happened to a mail, oldest first. */
  eventsOf(mail: SandboxMail): readonly SandboxEvent[]

  /** Takes a mail, judges it, and lets happen what Postmark would do next. */
  receive(raw: Buffer, envelope: MailEnvelope, arrival: Arrival): SandboxMail
  /** A bounce of this type for a recipient, by default the first. */
  bounce(mail: SandboxMail, type: BounceTypeName, recipient?: string): SandboxBounce
  open(mail: SandboxMail, recipient?: string): SandboxEvent
  /** A click on a link, by default the first of the mail. */
  click(mail: SandboxMail, link?: string, recipient?: string): Promise<SandboxEvent>
  complain(mail: SandboxMail, recipient?: string): SandboxEvent
  unsubscribe(mail: SandboxMail, recipient?: string): SandboxEvent
  /** Reactivates the address of a bounce. */
  activate(bounce: SandboxBounce): SandboxBounce
  suppress(
    address: string,
    options?: { stream?: string; reason?: SuppressionReason },
  ): SandboxEvent | undefined
  unsuppress(address: string, options?: { stream?: string }): SandboxEvent | undefined

  /** Forgets mails, bounces and events; streams, suppressions and settings stay. */
  clear(): void
  /** Calls the listener from now on; returns what ends that. */
  on<K extends keyof ServerEvents>(event: K, listener: (...args: ServerEvents[K]) => void): () => void
}
