/** How `close` ends. */
export interface CloseOptions {
  /**
   * Time for mails under way and in the queue, in milliseconds; what is left then fails, and connections are broken off.
   * Default: each mail's own deadline.
   */
  readonly deadlineMs?: number
  /** Whether nothing is waited for: the same as a `deadlineMs` of 0. Default false. */
  readonly force?: boolean
}

/** What a timer of Node holds; a longer time is no limit. */
const LONGEST_MS = 2 ** 31 - 1

/** The end of a transport: waiting for mails, then for connections. */
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

  /** Calls `late` after the time, unless an earlier call has set a shorter one, or the end comes first. */
  within(ms: number, late: () => void): void {
    const at = performance.now() + ms
    if (!(at < this.#at) || ms > LONGEST_MS) return
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
