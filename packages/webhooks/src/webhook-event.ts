import type { BounceId } from './bounce-id.js'

/** What Postmark calls the post; `Unknown` for a type that is not documented. Inbound mail names none itself. */
export type RecordType =
  | 'Delivery'
  | 'Bounce'
  | 'SpamComplaint'
  | 'Open'
  | 'Click'
  | 'SubscriptionChange'
  | 'Inbound'
  | 'Unknown'

/** What every event has. A field that Postmark left out, or filled with something odd, is undefined. */
export interface EventBase {
  /** Postmark's ID of the mail; undefined where it is null or all zeros. */
  readonly messageId: string | undefined
  /** Whether it is dummy data: Postmark's test posts have a MessageID of zeros. */
  readonly test: boolean
  /** @example 'outbound' */
  readonly messageStream: string | undefined
  readonly tag: string | undefined
  /** The metadata of the mail, as text; empty where there is none. */
  readonly metadata: Readonly<Record<string, string>>
  /** The address that the event is about. @example 'ann@example.com' */
  readonly recipient: string | undefined
  /** When it happened. The fraction is cut to milliseconds. */
  readonly at: Date | undefined
  readonly serverId: number | undefined
  /** The metadata value that core's `correlationId` put on the mail. */
  readonly correlationId: string | undefined
  /** A W3C trace context that the mail carried in its metadata. @see https://www.w3.org/TR/trace-context/#traceparent-header */
  readonly traceparent: string | undefined
  /** The object as Postmark sent it; an `ID` beyond 2^53 is text. */
  readonly raw: Readonly<Record<string, unknown>>
}

/** What the events that come from a bounce have. */
export interface BounceFields {
  /**
   * For Postmark's bounce API: a number, or its digits as text beyond 2^53, which JavaScript cannot hold.
   * Undefined where something in front, such as a body parser, has rounded it. @example '4323372036854775807'
   */
  readonly bounceId: BounceId | undefined
  /** A key of BOUNCE_TYPES of core, or a newer one. @example 'HardBounce' */
  readonly bounceType: string | undefined
  /** Postmark's explanation. */
  readonly description: string | undefined
  /** What the receiving server said. @example 'smtp;550 5.1.1 no such user' */
  readonly details: string | undefined
  readonly from: string | undefined
  readonly subject: string | undefined
  /** Raw source of the bounce, where the webhook is set to include it. */
  readonly content: string | undefined
  /** Whether Postmark sends no more to this address on this stream. */
  readonly inactive: boolean
  /** Whether the address may be activated again. */
  readonly canActivate: boolean
  /** Whether the bounce API has the raw source. */
  readonly dumpAvailable: boolean
}

/** What opens and clicks have. */
export interface ClientFields {
  readonly userAgent: string | undefined
  /** @example 'Desktop' */
  readonly platform: string | undefined
}

/** The receiving server took the mail. */
export interface DeliveredEvent extends EventBase {
  readonly kind: 'delivered'
  readonly recordType: 'Delivery'
  /** What the receiving server said. */
  readonly details: string | undefined
}

/**
 * The mail did not arrive, or not yet. `hard`: the address takes no mail. `soft`: this mail is lost, another may
 * arrive. `transient`: a delay, or an automatic reply.
 */
export interface BouncedEvent extends EventBase, BounceFields {
  readonly kind: 'bounced'
  /** With both hooks on, a hard bounce comes as each of the two. */
  readonly recordType: 'Bounce' | 'SubscriptionChange'
  readonly severity: 'hard' | 'soft' | 'transient'
}

/** Postmark took the mail over SMTP with 250, and refused it afterwards: bounce type SMTPApiError. */
export interface RejectedEvent extends EventBase, BounceFields {
  readonly kind: 'rejected'
  readonly recordType: 'Bounce'
  /**
   * The first error code in the texts of the bounce; where there is none, the one that Postmark's words imply.
   * @example 406
   */
  readonly errorCode: number | undefined
  /** What the error code means; Postmark's description where it is not known. */
  readonly cause: string | undefined
  /** What to do, where the error code is known. */
  readonly cure: string | undefined
}

/** The recipient marked the mail as spam. */
export interface ComplainedEvent extends EventBase, BounceFields {
  readonly kind: 'complained'
  readonly recordType: 'SpamComplaint' | 'Bounce' | 'SubscriptionChange'
}

/** The mail was opened. */
export interface OpenedEvent extends EventBase, ClientFields {
  readonly kind: 'opened'
  readonly recordType: 'Open'
  readonly firstOpen: boolean
  /** In seconds. */
  readonly readSeconds: number | undefined
}

/** A link was clicked. */
export interface ClickedEvent extends EventBase, ClientFields {
  readonly kind: 'clicked'
  readonly recordType: 'Click'
  /** The link as it was in the mail. */
  readonly link: string | undefined
  /** The part with the link. @example 'HTML' */
  readonly location: string | undefined
}

/** The recipient, or somebody in Postmark's web application, wants no more mail of this stream. */
export interface UnsubscribedEvent extends EventBase {
  readonly kind: 'unsubscribed'
  readonly recordType: 'SubscriptionChange' | 'Bounce'
  /** @example 'ManualSuppression' */
  readonly reason: string | undefined
  /** @example 'Recipient', 'Customer', 'Admin' */
  readonly origin: string | undefined
}

/** The stream sends to this address again. */
export interface ResubscribedEvent extends EventBase {
  readonly kind: 'resubscribed'
  readonly recordType: 'SubscriptionChange' | 'Bounce'
  readonly origin: string | undefined
}

/** A mail came in; its parts and attachments are in `raw`. */
export interface InboundEvent extends EventBase {
  readonly kind: 'inbound'
  readonly recordType: 'Inbound'
  /** The Date line of the mail: what the sender says, which may be wrong by years. See `receivedAt`. */
  readonly at: Date | undefined
  /**
   * When the mail was received, by the topmost Received line, which Postmark's server writes. Where there is none,
   * `createWebhookHandler` gives the time of the post, which may be a retry; `parseWebhook` gives undefined.
   */
  readonly receivedAt: Date | undefined
  /** The address of From. @example 'ann@example.com' */
  readonly from: string | undefined
  readonly subject: string | undefined
}

/** A type that is not documented, or a change of subscription without a direction. */
export interface UnknownEvent extends EventBase {
  readonly kind: 'unknown'
  readonly recordType: 'Unknown' | 'SubscriptionChange'
}

/** A post of Postmark's webhooks: `kind` is what it means, `recordType` what Postmark calls it. */
export type WebhookEvent =
  | DeliveredEvent
  | BouncedEvent
  | RejectedEvent
  | ComplainedEvent
  | OpenedEvent
  | ClickedEvent
  | UnsubscribedEvent
  | ResubscribedEvent
  | InboundEvent
  | UnknownEvent

/** What an event means. @example 'bounced' */
export type WebhookEventKind = WebhookEvent['kind']
