import type { DeliveryOutcome } from './delivery-outcome.js'
import { isOutcome } from './delivery-outcome.js'
import type { SendPhase } from './smtp-failure.js'

/** What `createPostmarkTransport` notes on the error of a mail that was not delivered, as plain data. */
export interface DeliveryFailure {
  /** What became of the mail. */
  outcome: DeliveryOutcome
  /** How often it was tried. */
  attempts: number
  /** How far the last attempt came. */
  phase: SendPhase
  /** Why it was not tried again, where a further attempt might have been expected. */
  notRetried?: string
}

/**
 * Whether an error of sendMail is that of a delivery that was tried, and says how it ended; a refusal by preflight is
 * none. An error of a transporter of your own is none either: ask `deliveryOutcome` about that.
 * @example if (isDeliveryFailure(error)) log.warn({ outcome: error.outcome, phase: error.phase, attempts: error.attempts })
 */
export function isDeliveryFailure(error: unknown): error is Error & DeliveryFailure {
  if (!(error instanceof Error)) return false
  const { outcome, attempts, phase } = error as Partial<Record<keyof DeliveryFailure, unknown>>
  return isOutcome(outcome) && typeof attempts === 'number' && typeof phase === 'string'
}
