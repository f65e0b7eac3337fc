import type { Chunking } from './chunking.js'
import type { Grouping, Pipelining } from './grouping.js'
import type { TimeLimits } from './time-limits.js'

/** What a session needs in addition to its channel. */
export interface SessionSettings {
  readonly limits: TimeLimits
  readonly pipelining: Pipelining
  readonly grouping: Grouping
  readonly chunking: Chunking
  readonly inFlight: InFlight
  /** How long the session may idle from now on, in milliseconds. */
  idleMs(): number
}

/**
 * How many emails may be on one connection without a reply, if the server accepts consecutive emails. If the connection
 * breaks, all of them are unknown.
 */
export interface InFlight {
  /** When an email of sendMail may follow. */
  readonly single: number
  /** When an email of sendBatch may follow. */
  readonly batch: number
}
