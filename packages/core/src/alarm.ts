/** How late an alarm may ring. */
const TICK_MS = 25

const running = new Set<Alarm>()
let ticker: NodeJS.Timeout | undefined

/**
 * A time limit that is set, and set anew, several times a mail. All share one timer, which runs while there are any:
 * on Node 20 a timer of its own is dear once an AsyncLocalStorage is in use.
 */
export class Alarm {
  #at = 0
  #ring: () => void = () => {}

  /** Rings once after so many milliseconds, in the place of what was set before. */
  set(ms: number, ring: () => void): void {
    this.#at = performance.now() + ms
    this.#ring = ring
    running.add(this)
    if (running.size > 1) return
    ticker ??= setInterval(tick, TICK_MS)
    ticker.ref()
  }

  stop(): void {
    if (running.delete(this) && running.size === 0) ticker?.unref()
  }

  /** Rings if it is time. */
  check(now: number): void {
    if (this.#at > now) return
    this.stop()
    this.#ring()
  }
}

function tick(): void {
  const now = performance.now()
  for (const alarm of running) alarm.check(now)
  if (running.size > 0) return
  clearInterval(ticker)
  ticker = undefined
}
