import type { StreamType } from '@postmark-smtp/core'

/** How a mail came in. */
export interface Arrival {
  readonly secure: boolean
  /** The host that its listener stands for; undefined where one listener stands for both. */
  readonly host: StreamType | undefined
  /** The stream of the SMTP token that had logged in. */
  readonly tokenStream: string | undefined
}
