import type { BounceId } from './bounce-id.js'

/** What `GET /bounces` is asked for, in the words of the official `postmark` client. */
export interface BounceFilter {
  /** At most 500, always given. */
  count?: number
  /** At most 10,000 less `count`, always given. */
  offset?: number
  type?: string
  /** Eastern time, inclusive. @example '2026-01-31T12:00:00' */
  fromDate?: string
  /** Eastern time, inclusive. */
  toDate?: string
  messageStream?: string
}

/** What `GET /bounces` answers: the newest first. */
export interface BouncePage {
  readonly TotalCount: number
  readonly Bounces: readonly object[]
}

/**
 * What reads the bounce API: the `ServerClient` of the official `postmark` package is one. Of what it throws, only
 * `statusCode` is looked at: none, or 0, is a failure of the network.
 * @see https://postmarkapp.com/developer/api/bounce-api
 */
export interface BounceClient {
  getBounces(filter?: BounceFilter): Promise<BouncePage>
  getBounceDump(id: BounceId): Promise<{ readonly Body: string }>
}
