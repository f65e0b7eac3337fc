import type { BatchOutcome, BatchProgress } from './batch-options.js'

/** The minimum time between two calls of onProgress. */
const TELL_EVERY_MS = 100
/** The rate covers the last seconds: one span of this length and what has started after it. */
const SPAN_MS = 2_000

const NAMES = {
  sent: 'sent',
  duplicate: 'duplicates',
  suppressed: 'suppressed',
  refused: 'refused',
  failed: 'failed',
  unknown: 'unknown',
} as const satisfies Record<BatchOutcome, keyof BatchProgress>

interface Mark {
  readonly at: number
  readonly done: number
}

/** Counts the results of a batch and reports them. */
export class BatchTally {
  readonly #counts = { sent: 0, duplicates: 0, suppressed: 0, refused: 0, failed: 0, unknown: 0 }
  #done = 0
  readonly #total: number | undefined
  readonly #tell: ((progress: BatchProgress) => void) | undefined
  #toldAt = Number.NEGATIVE_INFINITY
  #older: Mark
  #newer: Mark

  constructor(total: number | undefined, tell: ((progress: BatchProgress) => void) | undefined) {
    this.#total = total
    this.#tell = tell
    this.#older = { at: performance.now(), done: 0 }
    this.#newer = this.#older
  }

  /** The number of finished emails. */
  get done(): number {
    return this.#done
  }

  count(outcome: BatchOutcome): void {
    this.#counts[NAMES[outcome]]++
    this.#done++
    if (!this.#tell) return
    const now = performance.now()
    if (now - this.#toldAt < TELL_EVERY_MS) return
    this.tell(now)
  }

  tell(now: number = performance.now()): void {
    this.#toldAt = now
    this.#tell?.({
      ...this.#counts,
      done: this.#done,
      perSecond: this.#rate(now),
      left: this.#total === undefined ? undefined : Math.max(0, this.#total - this.#done),
    })
  }

  #rate(now: number): number {
    if (now - this.#newer.at >= SPAN_MS) {
      this.#older = this.#newer
      this.#newer = { at: now, done: this.#done }
    }
    const { at, done } = this.#older
    return now > at ? ((this.#done - done) * 1000) / (now - at) : 0
  }
}
