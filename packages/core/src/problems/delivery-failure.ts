import type { DeliveryOutcome } from './delivery-outcome.js'
import { isOutcome } from './delivery-outcome.js'
import type { SendPhase } from './smtp-failure.js'

/** The properties that `createPostmarkTransport` adds to the error of an email that was not delivered, as plain data. */
export interface DeliveryFailure {
  /** What became of the email. */
  outcome: DeliveryOutcome
  /** The number of attempts. */
  attempts: number
  /** How far the last attempt got. */
  phase: SendPhase
  /** Why it was not retried, if you might have expected another attempt. */
  notRetried?: string
}

/**
 * Whether an error from sendMail comes from a delivery attempt and says how it ended. Returns false for a rejection by
 * preflight. It also returns false for an error of your own transporter: use `deliveryOutcome` for that.
 * @example if (isDeliveryFailure(error)) log.warn({ outcome: error.outcome, phase: error.phase, attempts: error.attempts })
 */
export function isDeliveryFailure(error: unknown): error is Error & DeliveryFailure {
  if (!(error instanceof Error)) return false
  const { outcome, attempts, phase } = error as Partial<Record<keyof DeliveryFailure, unknown>>
  return isOutcome(outcome) && typeof attempts === 'number' && typeof phase === 'string'
}
