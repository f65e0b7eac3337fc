import type { Pipelining } from '../smtp/grouping.js'
import type { SessionPlan } from '../smtp/open-session.js'
import type { InFlight } from '../smtp/session-settings.js'
import type { ConnectionBudget } from './connection-budget.js'
import type { RetrySettings } from './retry.js'

/** What a route is created from. */
export interface RoutePlan {
  readonly session: SessionPlan
  readonly pool: PoolSettings & { readonly inFlight: InFlight }
  readonly retry: RetrySettings
  readonly pipelining: Pipelining
  readonly budget: ConnectionBudget
}

/** Lifetime of sessions. */
export interface PoolSettings {
  /** The maximum number of emails per session. Default 100. */
  readonly maxMessages: number
  /** The age after which a session is no longer used, plus or minus a tenth. Default 300,000 ms. */
  readonly maxAgeMs: number
  /** The idle time after which a session is closed, plus or minus a tenth. Default 30,000 ms. */
  readonly idleTimeoutMs: number
}
