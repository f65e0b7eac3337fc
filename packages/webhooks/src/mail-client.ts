import type { BounceClient } from './bounce-client.js'

/** The query of `GET /messages/outbound`, with the names of the official `postmark` client. */
export interface MailFilter {
  /** At most 500, always given. */
  count?: number
  /** At most 10,000 minus `count`, always given. */
  offset?: number
  messageStream?: string
  /** Eastern time, inclusive. @example '2026-01-31T12:00:00' */
  fromDate?: string
  /** The one metadata field that a search can have. @example { metadata_order: 'o-17' } */
  [field: `metadata_${string}`]: string
}

/** The response of `GET /messages/outbound`, with the newest mail first. */
export interface MailPage {
  readonly TotalCount: number | string
  readonly Messages: readonly object[]
}

/**
 * A client that searches sent emails and, if it can, bounces, such as the `ServerClient` of the official `postmark`
 * package. Of the errors that it throws, only `statusCode` is read: if it is missing or 0, the network has failed.
 * @see https://postmarkapp.com/developer/api/messages-api#outbound-message-search
 */
export interface MailClient extends Partial<BounceClient> {
  getOutboundMessages(filter?: MailFilter): Promise<MailPage>
}
