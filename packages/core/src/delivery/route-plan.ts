import type { Pipelining } from '../smtp/grouping.js'
import type { SessionPlan } from '../smtp/open-session.js'
import type { InFlight } from '../smtp/session-settings.js'
import type { ConnectionBudget } from './connection-budget.js'
import type { RetrySettings } from './retry.js'

/** What a route is made from. */
export interface RoutePlan {
  readonly session: SessionPlan
  readonly pool: PoolSettings & { readonly inFlight: InFlight }
  readonly retry: RetrySettings
  readonly pipelining: Pipelining
  readonly budget: ConnectionBudget
}

/** How sessions live. */
export interface PoolSettings {
  /** Mails per session. Default 100. */
  readonly maxMessages: number
  /** Age at which a session is not used again, give or take a tenth. Default 300,000 ms. */
  readonly maxAgeMs: number
  /** Time without a mail after which a session is closed, give or take a tenth. Default 30,000 ms. */
  readonly idleTimeoutMs: number
}
