import type { BounceId } from './bounce-id.js'

/** Postmark's name for the event; `Unknown` for a type that is not documented. Inbound email has no name of its own. */
export type RecordType =
  | 'Delivery'
  | 'Bounce'
  | 'SpamComplaint'
  | 'Open'
  | 'Click'
  | 'SubscriptionChange'
  | 'Inbound'
  | 'Unknown'

/** The fields of every event. A field is undefined if Postmark left it out or sent an unexpected value. */
export interface EventBase {
  /** Postmark's ID of the email; undefined if it is null or all zeros. */
  readonly messageId: string | undefined
  /** Whether the event is dummy data: Postmark's test events have a MessageID of zeros. */
  readonly test: boolean
  /** @example 'outbound' */
  readonly messageStream: string | undefined
  readonly tag: string | undefined
  /** The metadata of the email, as strings; empty if there is none. */
  readonly metadata: Readonly<Record<string, string>>
  /** The address that the event is about. @example 'ann@example.com' */
  readonly recipient: string | undefined
  /** When it happened, truncated to milliseconds. */
  readonly at: Date | undefined
  readonly serverId: number | undefined
  /** The metadata value that core's `correlationId` added to the email. */
  readonly correlationId: string | undefined
  /** The W3C trace context in the metadata of the email. @see https://www.w3.org/TR/trace-context/#traceparent-header */
  readonly traceparent: string | undefined
  /** The object as Postmark sent it, except that an `ID` beyond 2^53 is a string. */
  readonly raw: Readonly<Record<string, unknown>>
}

/** The fields of events that come from a bounce. */
export interface BounceFields {
  /**
   * The ID for Postmark's bounce API: a number, or its digits as a string beyond 2^53, which a number cannot hold.
   * Undefined if it has been rounded, for example by a body parser. @example '4323372036854775807'
   */
  readonly bounceId: BounceId | undefined
  /** A key of core's BOUNCE_TYPES, or a newer type. @example 'HardBounce' */
  readonly bounceType: string | undefined
  /** Postmark's explanation. */
  readonly description: string | undefined
  /** The reply of the receiving server. @example 'smtp;550 5.1.1 no such user' */
  readonly details: string | undefined
  readonly from: string | undefined
  readonly subject: string | undefined
  /** The raw source of the bounce, if the webhook is set to include it. */
  readonly content: string | undefined
  /** Whether Postmark has stopped sending to this address on this stream. */
  readonly inactive: boolean
  /** Whether the address can be reactivated. */
  readonly canActivate: boolean
  /** Whether the bounce API has the raw source. */
  readonly dumpAvailable: boolean
}

/** The fields of opens and clicks. */
export interface ClientFields {
  readonly userAgent: string | undefined
  /** @example 'Desktop' */
  readonly platform: string | undefined
}

/** The receiving server accepted the email. */
export interface DeliveredEvent extends EventBase {
  readonly kind: 'delivered'
  readonly recordType: 'Delivery'
  /** The reply of the receiving server. */
  readonly details: string | undefined
}

/**
 * The email did not arrive, or not yet. `hard`: the address accepts no email. `soft`: this email is lost, but another may
 * arrive. `transient`: a delay or an automatic reply.
 */
export interface BouncedEvent extends EventBase, BounceFields {
  readonly kind: 'bounced'
  /** With both hooks on, a hard bounce arrives twice, once as each type. */
  readonly recordType: 'Bounce' | 'SubscriptionChange'
  readonly severity: 'hard' | 'soft' | 'transient'
}

/** Postmark accepted the email over SMTP with 250 and refused it afterwards: bounce type SMTPApiError. */
export interface RejectedEvent extends EventBase, BounceFields {
  readonly kind: 'rejected'
  readonly recordType: 'Bounce'
  /**
   * The first error code in the texts of the bounce, or else the code that Postmark's words imply.
   * @example 406
   */
  readonly errorCode: number | undefined
  /** What the error code means; Postmark's description if the code is not known. */
  readonly cause: string | undefined
  /** What to do, if the error code is known. */
  readonly cure: string | undefined
}

/** The recipient marked the email as spam. */
export interface ComplainedEvent extends EventBase, BounceFields {
  readonly kind: 'complained'
  readonly recordType: 'SpamComplaint' | 'Bounce' | 'SubscriptionChange'
}

/** The email was opened. */
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
  /** The link as it was in the email. */
  readonly link: string | undefined
  /** The part of the mail that contains the link. @example 'HTML' */
  readonly location: string | undefined
}

/** The recipient, or someone in Postmark's web application, unsubscribed the address from this stream. */
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

/** An email was received; its parts and attachments are in `raw`. */
export interface InboundEvent extends EventBase {
  readonly kind: 'inbound'
  readonly recordType: 'Inbound'
  /** The Date line of the email, which the sender writes and which may be wrong by years. See `receivedAt`. */
  readonly at: Date | undefined
  /**
   * When the email was received, from the topmost Received line, which Postmark's server writes. If there is none,
   * `createWebhookHandler` sets the time of the request, which may be a retry; `parseWebhook` leaves it undefined.
   */
  readonly receivedAt: Date | undefined
  /** The address in From. @example 'ann@example.com' */
  readonly from: string | undefined
  readonly subject: string | undefined
}

/** A type that is not documented, or a subscription change without a direction. */
export interface UnknownEvent extends EventBase {
  readonly kind: 'unknown'
  readonly recordType: 'Unknown' | 'SubscriptionChange'
}

/** An event from Postmark's webhooks: `kind` is its meaning, `recordType` is Postmark's name for it. */
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

/** The meaning of an event. @example 'bounced' */
export type WebhookEventKind = WebhookEvent['kind']
