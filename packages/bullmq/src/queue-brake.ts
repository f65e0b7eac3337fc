/** The part of BullMQ's Queue that a processor needs. */
export interface BrakedQueue {
  /** Stops all workers from taking jobs for `ms` milliseconds. */
  rateLimit(ms: number): Promise<unknown>
  /** Stops all workers from taking jobs until the queue is resumed. */
  pause(): Promise<unknown>
}

const LONGEST_MS = 300_000

/** Slows the whole queue down while the server accepts no email, for twice as long each time, up to five minutes. */
export class QueueBrake {
  readonly #queue: BrakedQueue
  readonly #firstMs: number
  readonly #now: () => number
  #ms = 0
  #until = 0

  constructor(queue: BrakedQueue, firstMs: number, now: () => number = Date.now) {
    this.#queue = queue
    this.#firstMs = firstMs
    this.#now = now
  }

  /** Jobs that fail together slow the queue down once. */
  async slow(): Promise<void> {
    const now = this.#now()
    if (now >= this.#until) {
      this.#ms = Math.min(LONGEST_MS, this.#ms === 0 ? this.#firstMs : 2 * this.#ms)
      this.#until = now + this.#ms
    }
    await this.#queue.rateLimit(Math.max(1, this.#until - now))
  }

  /** An email was sent. */
  release(): void {
    this.#ms = 0
  }

  async pause(): Promise<void> {
    await this.#queue.pause()
  }
}
