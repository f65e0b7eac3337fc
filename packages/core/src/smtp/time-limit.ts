/** A time limit that moves with every step of a connection, with one timer for all of them. */
export class TimeLimit {
  readonly #onOver: () => void
  #timer: NodeJS.Timeout | undefined
  #timerAt = 0
  #limitAt = Number.POSITIVE_INFINITY
  #held = true

  /** @param onOver called when the newest limit is over, once */
  constructor(onOver: () => void) {
    this.#onOver = onOver
  }

  /** The newest limit applies. The timer is only set again if it would fire too late. */
  set(ms: number): void {
    this.#limitAt = performance.now() + ms
    if (this.#timer === undefined || this.#timerAt > this.#limitAt) this.#arm(ms)
  }

  clear(): void {
    this.#limitAt = Number.POSITIVE_INFINITY
  }

  /** Whether it keeps the process alive. */
  hold(alive: boolean): void {
    this.#held = alive
    if (alive) this.#timer?.ref()
    else this.#timer?.unref()
  }

  /** No further limits will be set. */
  end(): void {
    this.clear()
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer)
    this.#timerAt = performance.now() + ms
    this.#timer = setTimeout(this.#onTimer, Math.ceil(ms))
    if (!this.#held) this.#timer.unref()
  }

  #onTimer = (): void => {
    this.#timer = undefined
    if (this.#limitAt === Number.POSITIVE_INFINITY) return
    const leftMs = this.#limitAt - performance.now()
    if (leftMs > 0.5) this.#arm(leftMs)
    else {
      this.clear()
      this.#onOver()
    }
  }
}
