import type { StreamType } from '@postmark-smtp/core'

/** How an email came in. */
export interface Arrival {
  readonly secure: boolean
  /** The host of Postmark that the listener replaces; undefined if it replaces both. */
  readonly hostType: StreamType | undefined
  /** The message stream of the SMTP token that had logged in. */
  readonly tokenStream: string | undefined
}
