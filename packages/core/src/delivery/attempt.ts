import type { SendingMail } from '../message/nodemailer-types.js'
import type { DeliveryOutcome } from '../problems/delivery-outcome.js'
import { isLostConnection, isTlsFailure, replyOutcome } from '../problems/delivery-outcome.js'
import type { SendPhase } from '../problems/diagnostics.js'
import type { Connection } from '../smtp/connection.js'
import type { TimeLimits } from '../smtp/time-limits.js'

/** A failed attempt, and what it means. */
export interface AttemptFailure {
  readonly error: Error
  readonly outcome: DeliveryOutcome
  /** Whether the same mail may be tried again without the risk of a second copy. */
  readonly retryable: boolean
}

interface MessageStream extends NodeJS.ReadableStream {
  once(event: 'resume', listener: () => void): this
  on(event: 'end' | 'error', listener: (error?: Error) => void): this
}

interface StreamingMessage {
  createReadStream(...args: unknown[]): MessageStream
}

/** Follows the body of one mail over all its attempts: Nodemailer's errors do not tell how far it went. */
export class BodyWatch {
  /** Whether the body's end was read: from then until the reply nobody knows what became of the mail. */
  ended = false
  /** Whether a content that can be read only once has been touched. */
  touched = false
  /** What went wrong while the message was composed. */
  composeError: Error | undefined
  #attempt = 0
  #onPhase: (phase: SendPhase) => void = () => {}

  /** Wraps the message's `createReadStream`, which Nodemailer calls once per attempt. */
  constructor(mail: SendingMail) {
    const message = mail.message as StreamingMessage
    const create = message.createReadStream
    message.createReadStream = (...args) => {
      this.touched = true
      this.#onPhase('envelope')
      return this.#follow(create.apply(message, args))
    }
  }

  /** What a new attempt starts from. */
  begin(onPhase: (phase: SendPhase) => void): void {
    this.#attempt++
    this.ended = false
    this.composeError = undefined
    this.#onPhase = onPhase
  }

  #follow(stream: MessageStream): MessageStream {
    const attempt = this.#attempt
    const isCurrent = () => attempt === this.#attempt
    return stream
      .once('resume', () => isCurrent() && this.#onPhase('body'))
      .on('end', () => {
        if (!isCurrent()) return
        this.ended = true
        this.#onPhase('final')
      })
      .on('error', (error) => {
        if (isCurrent()) this.composeError = error
      })
  }
}

/** How an attempt ended. */
export type AttemptResult = { readonly info: object } | AttemptFailure

/**
 * Sends a mail over a connection, within the limits of each phase.
 * @returns what breaks it off, with the error that sendMail shall reject with
 */
export function startAttempt(
  connection: Connection,
  mail: SendingMail,
  body: BodyWatch,
  limits: TimeLimits,
  event: { phase: SendPhase },
  done: (result: AttemptResult) => void,
): (error: Error) => void {
  let timer: NodeJS.Timeout | undefined
  let settled = false
  const settle = (result: AttemptResult) => {
    if (settled) return
    settled = true
    clearTimeout(timer)
    done(result)
  }
  const limit = (ms: number, what: string) => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      const error = Object.assign(new Error(`${what} took more than ${ms / 1000} s`), {
        code: 'ETIMEDOUT',
        command: 'CONN',
      })
      settle(judge(error, body))
      connection.destroy()
    }, ms)
  }
  limit(limits.raceMs + limits.replyMs, 'Connecting and logging in')
  event.phase = 'connect'
  body.begin((phase) => {
    if (settled) return
    event.phase = phase
    if (phase === 'envelope') limit(limits.replyMs, 'The envelope')
    else if (phase === 'final') limit(limits.finalMs, 'The reply to the mail')
    // The body takes as long as its bytes need; Nodemailer ends a connection on which nothing moves.
    else clearTimeout(timer)
  })
  connection.send(mail, (error, info = {}) => {
    const failure = error ?? garbledReply(info)
    settle(failure ? judge(failure, body) : { info })
  })
  return (error) => {
    // Judged before the connection breaks: what is written in the meantime must not change the verdict.
    const outcome = body.ended ? 'unknown' : 'not-sent'
    settle({ error, outcome, retryable: false })
    connection.destroy()
  }
}

/** Nodemailer takes whatever begins with a 2 for a yes; a reply has three digits (RFC 5321 §4.2). */
function garbledReply(info: { readonly response?: unknown }): Error | undefined {
  const { response } = info
  if (typeof response !== 'string' || /^2\d\d(?:[ -]|$)/.test(response)) return undefined
  const error = new Error(`The reply to the mail is no SMTP reply: ${JSON.stringify(response.slice(0, 100))}`)
  return Object.assign(error, { code: 'EPROTOCOL', command: 'DATA' })
}

/** Decides what a failure means. A reply decides; without one it depends on whether the body's end was out. */
function judge(error: Error, body: Pick<BodyWatch, 'ended' | 'composeError'>): AttemptFailure {
  const fields = error as unknown as Readonly<Record<string, unknown>>
  // What a broken connection left of a reply is none, once the mail may have been accepted.
  if (body.ended && isLostConnection(fields)) return { error, outcome: 'unknown', retryable: false }
  const replied = recipientsOutcome(fields) ?? replyOutcome(fields)
  if (replied) return { error, outcome: replied, retryable: replied === 'deferred' }
  if (body.ended) return { error, outcome: 'unknown', retryable: false }
  const composing = body.composeError !== undefined && fields.code === 'ESTREAM'
  return {
    error,
    outcome: 'not-sent',
    retryable: !composing && isLostConnection(fields) && !isTlsFailure(fields),
  }
}

/** Where every recipient was refused: deferred only if each may be tried again, so that none is asked twice for nothing. */
function recipientsOutcome({
  rejectedErrors,
}: Readonly<Record<string, unknown>>): DeliveryOutcome | undefined {
  if (!Array.isArray(rejectedErrors) || rejectedErrors.length === 0) return undefined
  const codes = rejectedErrors.map((each: { responseCode?: number }) => each.responseCode ?? 0)
  if (codes.every((code) => code >= 400 && code < 500)) return 'deferred'
  return codes.some((code) => code >= 500) ? 'rejected' : undefined
}
