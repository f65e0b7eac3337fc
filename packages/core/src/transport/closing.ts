import { LONGEST_TIMER_MS } from '../problems/longest-timer.js'
/** Options of `close`. */
export interface CloseOptions {
  /**
   * Time limit for emails in progress and in the queue, in milliseconds. After that, remaining emails fail and
   * connections are destroyed. Default: each email's own deadline.
   */
  readonly deadlineMs?: number
  /** Whether to wait for nothing, which is the same as a `deadlineMs` of 0. Default false. */
  readonly force?: boolean
}

/** Closes a transport: waits for emails, then for connections. */
export class Closing {
  readonly ended: Promise<void>
  #resolve!: () => void
  #timer: NodeJS.Timeout | undefined
  #at = Number.POSITIVE_INFINITY
  #ending = false

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** Calls `late` after the time, unless an earlier call has set a shorter one or closing ends first. */
  within(ms: number, late: () => void): void {
    const at = performance.now() + ms
    // A longer time counts as no limit.
    if (!(at < this.#at) || ms > LONGEST_TIMER_MS) return
    this.#at = at
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (ms <= 0) late()
    else this.#timer = setTimeout(late, ms)
  }

  end(close: () => Promise<unknown>): void {
    if (this.#ending) return
    this.#ending = true
    void close().then(() => {
      clearTimeout(this.#timer)
      this.#resolve()
    })
  }
}
