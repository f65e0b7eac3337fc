import type { DeliveryOutcome } from '../problems/delivery-outcome.js'
import { PostmarkError, type PostmarkErrorCode } from '../problems/error.js'

/** What the error of a mail says that its idempotency key has kept from being sent. */
export interface SendOnceFailure {
  readonly code:
    | 'ERR_POSTMARK_ONCE_HELD'
    | 'ERR_POSTMARK_ONCE_UNKNOWN'
    | 'ERR_POSTMARK_ONCE_CONFLICT'
    | 'ERR_POSTMARK_ONCE_STORE'
  /** `unknown` with ERR_POSTMARK_ONCE_UNKNOWN, else `not-sent`: this call has sent nothing. */
  readonly outcome: DeliveryOutcome
  /** Of ERR_POSTMARK_ONCE_HELD: how long the claim of the other one holds, unless it is renewed. */
  readonly forMs?: number
  /** Of ERR_POSTMARK_ONCE_UNKNOWN: how long ago the sender of the mail last gave a sign of life. */
  readonly sinceMs?: number
  /** Of ERR_POSTMARK_ONCE_UNKNOWN: what the mail has in its metadata under `send-once`. */
  readonly reference?: string
}

/**
 * Whether an error of sendMail says that the idempotency key of the mail has kept it from being sent.
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
    'Another call is already sending the mail with this idempotency key.',
    {
      outcome: 'not-sent',
      forMs,
    },
  )
}

/** An earlier mail of the key may have been sent, or not. */
export function unknownError(sinceMs: number, reference: string): PostmarkError {
  const message = 'The mail with this idempotency key may or may not have been sent.'
  return make('ERR_POSTMARK_ONCE_UNKNOWN', message, { outcome: 'unknown', sinceMs, reference })
}

/** The key belongs to another mail. */
export function conflictError(): PostmarkError {
  const message =
    'The mail was not sent: its idempotency key was already used for a mail to other recipients or on another stream.'
  return make('ERR_POSTMARK_ONCE_CONFLICT', message, { outcome: 'not-sent' })
}

/** The store is no help. @param what it did */
export function storeError(what: string, cause?: unknown): PostmarkError {
  const message = `The mail was not sent: the send-once store ${what}.`
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
