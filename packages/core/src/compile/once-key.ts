import { createHash } from 'node:crypto'
import { describe } from '../problems/describe.js'
import type { PostmarkProblem } from '../problems/problem.js'

/** The metadata key of an email that has an idempotency key. */
export const ONCE_METADATA_KEY = 'send-once'

/** The hash of an idempotency key, or a problem with the key. Neither for an email without a key. */
interface OnceKey {
  readonly reference?: string
  readonly problem?: PostmarkProblem
}

const NONE: OnceKey = {}

/**
 * Reads the idempotency key of a message. A problem with it rejects in every preflight mode: an email that must be sent
 * at most once must not be sent without that guarantee.
 * @param possible whether the transport has a store
 */
export function readOnceKey(given: unknown, possible: boolean): OnceKey {
  if (given === undefined) return NONE
  const refuse = (found: string, limit: string, cure: string): OnceKey => ({
    problem: { path: 'idempotencyKey', found, limit, cure, severity: 'error' },
  })
  if (typeof given !== 'string' || given.trim() === '' || !given.isWellFormed()) {
    const cure = 'Derive it from what the email is about, such as "receipt-1234", or omit it.'
    return refuse(`is ${describe(given)}`, 'a non-empty string', cure)
  }
  if (!possible) {
    const cure = 'Set the option `sendOnce` of createPostmarkTransport, or omit the key.'
    return refuse('is set', 'a transporter with the option `sendOnce`', cure)
  }
  return { reference: toOnceReference(given) }
}

/** The hash of an idempotency key. It is the key in the store and in the metadata of the email. */
export function toOnceReference(key: string): string {
  return createHash('sha256').update(key).digest('base64url')
}
