import type { BounceClient } from './bounce-client.js'

/** What `GET /messages/outbound` is asked for, in the words of the official `postmark` client. */
export interface MailFilter {
  /** At most 500, always given. */
  count?: number
  /** At most 10,000 less `count`, always given. */
  offset?: number
  messageStream?: string
  /** Eastern time, inclusive. @example '2026-01-31T12:00:00' */
  fromDate?: string
  /** The one metadata field that a search can have. @example { metadata_order: 'o-17' } */
  [field: `metadata_${string}`]: string
}

/** What `GET /messages/outbound` answers: the newest first. */
export interface MailPage {
  readonly TotalCount: number | string
  readonly Messages: readonly object[]
}

/**
 * What searches sent mails, and bounces where it can: the `ServerClient` of the official `postmark` package is one. Of
 * what it throws, only `statusCode` is looked at: none, or 0, is a failure of the network.
 * @see https://postmarkapp.com/developer/api/messages-api#outbound-message-search
 */
export interface MailClient extends Partial<BounceClient> {
  getOutboundMessages(filter?: MailFilter): Promise<MailPage>
}
