/** How late a timer may fire. Emails that it delayed are made up for. */
const CATCH_UP_MS = 20
/** Simultaneous failures count once. */
const SAME_MOMENT_MS = 250

/**
 * How many emails may be in progress, and when the next one may start. The first email is sent by itself, so that problems
 * common to all are found with one. A 4xx reply, especially 421 and 450, halves the number; each round of emails without
 * one adds one.
 */
export class BatchPace {
  readonly #most: number
  readonly #intervalMs: number
  #window = 1
  #isOpen = false
  #sinceChange = 0
  #slowedAt = Number.NEGATIVE_INFINITY
  #nextAt = Number.NEGATIVE_INFINITY

  constructor(most: number, perSecond: number) {
    this.#most = most
    this.#intervalMs = 1000 / perSecond
  }

  get window(): number {
    return this.#window
  }

  /** Milliseconds until the next email may start; 0 if it may start now. */
  waitMs(now: number): number {
    return Math.max(0, this.#nextAt - now)
  }

  onStart(now: number): void {
    this.#nextAt = Math.max(this.#nextAt, now - CATCH_UP_MS) + this.#intervalMs
  }

  onDeferred(now: number): void {
    this.#isOpen = true
    this.#sinceChange = 0
    if (now - this.#slowedAt < SAME_MOMENT_MS) return
    this.#slowedAt = now
    this.#window = Math.max(1, Math.floor(this.#window / 2))
  }

  /** An email is finished, whatever the result. */
  onResult(): void {
    if (!this.#isOpen) {
      this.#isOpen = true
      this.#window = this.#most
      return
    }
    if (this.#window >= this.#most || ++this.#sinceChange < this.#window) return
    this.#sinceChange = 0
    this.#window++
  }
}
