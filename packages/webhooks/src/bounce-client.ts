import type { BounceId } from './bounce-id.js'

/** The query of `GET /bounces`, with the names of the official `postmark` client. */
export interface BounceFilter {
  /** At most 500, always given. */
  count?: number
  /** At most 10,000 minus `count`, always given. */
  offset?: number
  type?: string
  /** Eastern time, inclusive. @example '2026-01-31T12:00:00' */
  fromDate?: string
  /** Eastern time, inclusive. */
  toDate?: string
  messageStream?: string
}

/** The response of `GET /bounces`, with the newest bounce first. */
export interface BouncePage {
  readonly TotalCount: number
  readonly Bounces: readonly object[]
}

/**
 * A client for the bounce API, such as the `ServerClient` of the official `postmark` package. Of the errors that it
 * throws, only `statusCode` is read: if it is missing or 0, the network has failed.
 * @see https://postmarkapp.com/developer/api/bounce-api
 */
export interface BounceClient {
  getBounces(filter?: BounceFilter): Promise<BouncePage>
  getBounceDump(id: BounceId): Promise<{ readonly Body: string }>
}
