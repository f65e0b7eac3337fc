import { AsyncResource } from 'node:async_hooks'
import type { SendPhase, SmtpError } from '../problems/smtp-failure.js'
import { smtpError } from '../problems/smtp-failure.js'

/** Something that gives up at a signal. */
export interface Stoppable {
  readonly event: { readonly phase: SendPhase }
  stop(error: SmtpError): void
}

/**
 * Stops an email when the signal of its message is aborted. A signal of another realm is accepted.
 * @returns a function that stops following; undefined if there is nothing left to follow
 */
export function followSignal(signal: unknown, mail: Stoppable): (() => void) | undefined {
  if (!isAbortSignal(signal)) return undefined
  // A signal is aborted in some request or timer. What follows, especially another session, does not belong to it.
  const onAbort = AsyncResource.bind(() => mail.stop(abortError(signal.reason, mail.event.phase)))
  if (signal.aborted) {
    process.nextTick(onAbort)
    return undefined
  }
  signal.addEventListener('abort', onAbort, { once: true })
  return () => signal.removeEventListener('abort', onAbort)
}

/** Whether a value can be followed as a signal. A signal of another realm is accepted. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  const signal = value as Partial<AbortSignal> | null | undefined
  const { aborted, addEventListener, removeEventListener } = signal ?? {}
  return typeof aborted === 'boolean' && isFunction(addEventListener) && isFunction(removeEventListener)
}

/** The same text as in Nodemailer 10. */
export function abortError(cause: unknown, phase: SendPhase): SmtpError {
  const error = smtpError('Message sending aborted', { code: 'EABORT', phase, outcome: 'not-sent', cause })
  return Object.assign(error, { name: 'AbortError' })
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}
