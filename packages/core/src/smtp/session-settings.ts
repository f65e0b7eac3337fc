import type { Grouping, Pipelining } from './grouping.js'
import type { TimeLimits } from './time-limits.js'

/** What a session needs besides its channel. */
export interface SessionSettings {
  readonly limits: TimeLimits
  readonly pipelining: Pipelining
  readonly grouping: Grouping
  /** For how long the session may idle from now on, in milliseconds. */
  idleMs(): number
}
