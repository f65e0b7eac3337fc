import { IDLE_WHILE_WANTED_MS } from './connection-budget.js'
import type { PoolSettings } from './route-plan.js'

/** How many emails and how much time a session has used since it began to open, and its limits. */
export class SessionAge {
  readonly startedAt: number = performance.now()
  mails = 0
  readonly #maxMessages: number
  readonly #retireAt: number
  readonly #idleMs: number

  constructor({ maxMessages, maxAgeMs, idleTimeoutMs }: PoolSettings) {
    this.#maxMessages = maxMessages
    this.#retireAt = this.startedAt + maxAgeMs * jitter()
    this.#idleMs = idleTimeoutMs * jitter()
  }

  get heldMs(): number {
    return performance.now() - this.startedAt
  }

  /** Whether the session has reached its limit of emails or time. */
  get isSpent(): boolean {
    return this.mails >= this.#maxMessages || performance.now() >= this.#retireAt
  }

  /** How long it may idle from now on. @param isWanted whether another route waits for its place */
  idleMs(isWanted: boolean): number {
    const idleMs = isWanted ? Math.min(IDLE_WHILE_WANTED_MS, this.#idleMs) : this.#idleMs
    return Math.max(1, Math.min(idleMs, this.#retireAt - performance.now()))
  }
}

/** Prevents sessions that were opened together from all ending together. */
function jitter(): number {
  return 0.9 + Math.random() * 0.2
}
