import type { Failure, SmtpError } from '../problems/smtp-failure.js'
import { pauseAfter } from './retry.js'

/**
 * How often the pause before the next session attempt doubles. The failures of all emails of a route count here, so the
 * pause must end well below that of a single mail: a queue resumes at most eight seconds after its server is back.
 */
const MOST_STEPS = 5

/**
 * When a route may try to open a session again. After a failure, the next attempt waits for increasing times, so that a
 * dead server is tried by one session at a time.
 */
export class Reopening {
  readonly #baseMs: number
  readonly #onOver: () => void
  /** Failures since the last session was opened, or since an email has ended with one. */
  #failures = 0
  /** Consecutive failures that will not pass, such as a refused login. */
  #finalFailures = 0
  #failedAt = Number.NEGATIVE_INFINITY
  #lastError: SmtpError | undefined
  #timer: NodeJS.Timeout | undefined

  /** @param onOver called when the pause is over */
  constructor(baseMs: number, onOver: () => void) {
    this.#baseMs = baseMs
    this.#onOver = onOver
  }

  /** Whether the last attempt failed: then there is one attempt at a time. */
  get isFailing(): boolean {
    return this.#failures > 0 || this.#finalFailures > 0
  }

  /** Why the last attempt failed, until one succeeds. */
  get lastError(): SmtpError | undefined {
    return this.#lastError
  }

  opened(): void {
    this.#failures = 0
    this.#finalFailures = 0
    this.#lastError = undefined
  }

  /**
   * @param startedAt when the attempt began: attempts that started together fail together, and count as one
   * @returns whether it is the second consecutive failure that will not pass, so that waiting emails need no attempts of their own
   */
  failed(startedAt: number, { error, retry }: Failure): boolean {
    this.#lastError = error
    if (startedAt < this.#failedAt) return false
    this.#failedAt = performance.now()
    this.#failures++
    this.#finalFailures = retry === 'never' ? this.#finalFailures + 1 : 0
    return this.#finalFailures > 1
  }

  /** The failure has ended an email, so the next attempt need not wait. */
  forget(): void {
    this.#failures = 0
  }

  /** Whether the pause is not over yet. */
  mustWait(): boolean {
    if (this.#timer) return true
    if (this.#failures === 0) return false
    const steps = Math.min(this.#failures, MOST_STEPS)
    const waitMs = this.#failedAt + pauseAfter(steps, this.#baseMs) / 2 - performance.now()
    if (waitMs <= 0) return false
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#onOver()
    }, waitMs)
    return true
  }

  /** No emails are left. */
  rest(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
