import type { Chunking } from './chunking.js'
import type { Grouping, Pipelining } from './grouping.js'
import type { TimeLimits } from './time-limits.js'

/** What a session needs besides its channel. */
export interface SessionSettings {
  readonly limits: TimeLimits
  readonly pipelining: Pipelining
  readonly grouping: Grouping
  readonly chunking: Chunking
  readonly inFlight: InFlight
  /** For how long the session may idle from now on, in milliseconds. */
  idleMs(): number
}

/**
 * How many mails may be out on one connection without a reply, where the server takes them one after the other: all of
 * them are unknown when it breaks.
 */
export interface InFlight {
  /** When a mail of sendMail may follow. */
  readonly single: number
  /** When a mail of sendBatch may follow. */
  readonly batch: number
}
