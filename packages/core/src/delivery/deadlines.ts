import type { SmtpError } from '../problems/smtp-failure.js'
import { smtpError } from '../problems/smtp-failure.js'
import type { Delivery } from './delivery.js'

/** Stops the emails of a route that take too long. */
export class Deadlines {
  readonly #deadlineMs: number
  readonly #deliveries: ReadonlySet<Delivery>
  readonly #why: () => SmtpError | undefined
  /** When the last email was accepted or refused. As long as that continues, a long queue is no reason to give up. */
  #finishedAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  /**
   * @param deliveries all unfinished deliveries
   * @param why returns why no session can be opened, for an email that has had no attempt
   */
  constructor(deadlineMs: number, deliveries: ReadonlySet<Delivery>, why: () => SmtpError | undefined) {
    this.#deadlineMs = deadlineMs
    this.#deliveries = deliveries
    this.#why = why
  }

  /** An email has come. */
  watch(): void {
    this.#watchFor(this.#deadlineMs)
  }

  /** An email was accepted or refused. */
  finished(): void {
    this.#finishedAt = performance.now()
  }

  /** When an email is too late. This moves until its first attempt begins. */
  of({ sentAt }: Delivery): number {
    return Math.max(sentAt, this.#finishedAt) + this.#deadlineMs
  }

  /** No emails are left. */
  rest(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /**
   * One timer for all mails: it fires when the first could be due, and is then set for the next. While there are emails
   * it also keeps the process alive, whatever they wait for.
   */
  #watchFor(ms: number): void {
    this.#timer ??= setTimeout(this.#check, Math.ceil(ms))
  }

  #check = (): void => {
    this.#timer = undefined
    const now = performance.now()
    let next = Number.POSITIVE_INFINITY
    for (const delivery of [...this.#deliveries]) {
      const dueAt = delivery.dueAt ?? this.of(delivery)
      if (dueAt <= now + 0.5) delivery.stop(this.#error(delivery))
      else next = Math.min(next, dueAt)
    }
    if (next !== Number.POSITIVE_INFINITY) this.#watchFor(next - now)
  }

  #error({ event, lastError }: Delivery): SmtpError {
    const seconds = this.#deadlineMs / 1000
    const last = lastError ?? this.#why()
    const why = last ? ` The last attempt failed: ${last.message}` : ''
    return smtpError(`The email was not sent within ${seconds} s.${why}`, {
      code: 'ETIMEDOUT',
      command: 'API',
      phase: event.phase,
      outcome: 'not-sent',
      explanation: last?.explanation,
      cause: last,
    })
  }
}
