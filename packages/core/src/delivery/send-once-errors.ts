import type { DeliveryOutcome } from '../problems/delivery-outcome.js'
import { PostmarkError, type PostmarkErrorCode } from '../problems/error.js'

/** The properties of an error if the idempotency key has prevented an email from being sent. */
export interface SendOnceFailure {
  readonly code:
    | 'ERR_POSTMARK_ONCE_HELD'
    | 'ERR_POSTMARK_ONCE_UNKNOWN'
    | 'ERR_POSTMARK_ONCE_CONFLICT'
    | 'ERR_POSTMARK_ONCE_STORE'
  /** `unknown` with ERR_POSTMARK_ONCE_UNKNOWN, otherwise `not-sent`: this call sent nothing. */
  readonly outcome: DeliveryOutcome
  /** For ERR_POSTMARK_ONCE_HELD: the milliseconds until the other claim expires, unless it is renewed. */
  readonly forMs?: number
  /** For ERR_POSTMARK_ONCE_UNKNOWN: the milliseconds since the sender of the email last gave a sign of life. */
  readonly sinceMs?: number
  /** For ERR_POSTMARK_ONCE_UNKNOWN: the value of `send-once` in the metadata of the email. */
  readonly reference?: string
}

/**
 * Whether an error from sendMail means that the idempotency key has prevented the email from being sent.
 * @example if (isSendOnceFailure(error) && error.code === 'ERR_POSTMARK_ONCE_HELD') await retryIn(error.forMs)
 */
export function isSendOnceFailure(error: unknown): error is PostmarkError & SendOnceFailure {
  const { code } = Object(error) as { code?: unknown }
  return typeof code === 'string' && code.startsWith('ERR_POSTMARK_ONCE_')
}

/** Another owner has the key. */
export function heldError(forMs: number): PostmarkError {
  return make(
    'ERR_POSTMARK_ONCE_HELD',
    'Another call is sending the email with this idempotency key, or its process has just died.',
    {
      outcome: 'not-sent',
      forMs,
    },
  )
}

/** An earlier email with this key may or may not have been sent. */
export function unknownError(sinceMs: number, reference: string): PostmarkError {
  const message = 'The email with this idempotency key may or may not have been sent.'
  return make('ERR_POSTMARK_ONCE_UNKNOWN', message, { outcome: 'unknown', sinceMs, reference })
}

/** The key belongs to another email. */
export function conflictError(): PostmarkError {
  const message =
    'The email was not sent: its idempotency key was already used for an email to other recipients or on another stream.'
  return make('ERR_POSTMARK_ONCE_CONFLICT', message, { outcome: 'not-sent' })
}

/** The store failed. @param what what it did */
export function storeError(what: string, cause?: unknown): PostmarkError {
  const message = `The email was not sent: the send-once store ${what}.`
  return make('ERR_POSTMARK_ONCE_STORE', message, { outcome: 'not-sent' }, cause)
}

function make(
  code: PostmarkErrorCode & SendOnceFailure['code'],
  message: string,
  fields: Omit<SendOnceFailure, 'code'>,
  cause?: unknown,
): PostmarkError {
  return Object.assign(new PostmarkError(code, message, { cause }), fields)
}
