import { deliveryOutcome, explainSmtpError, isPostmarkError, isSendOnceFailure } from '@postmark-smtp/core'

/** What to do with a job whose email was not sent. */
export type Verdict =
  /** Another attempt would end the same way. */
  | { readonly kind: 'fail' }
  /** The job is retried with its own backoff, and the attempt counts. */
  | { readonly kind: 'retry' }
  /** Any other email would have failed too: the whole queue slows down, and no attempt counts. */
  | { readonly kind: 'slow' }
  /** No email can be sent until the cause is fixed: the queue pauses, and no attempt counts. */
  | { readonly kind: 'pause' }
  /** Only this job waits, and no attempt counts. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** The worker is closing, and another one takes the job. */
  | { readonly kind: 'give-back' }
  /** The email may have been sent. @param sinceMs the age of the last sign of life of its sender */
  | { readonly kind: 'unknown'; readonly sinceMs: number; readonly reference?: string | undefined }

/** Explanations of failures that every other email would meet: refused logins and TLS. */
const FAULTS_OF_SETTINGS: readonly (string | undefined)[] = [
  'account-token',
  'user-is-not-password',
  'no-safe-mechanism',
  'login-refused',
  'starttls-missing',
  'certificate',
  'implicit-tls',
]
const CODES_OF_SETTINGS = [
  'ERR_POSTMARK_OPTIONS',
  'ERR_POSTMARK_URL',
  'ERR_POSTMARK_CREDENTIALS',
  'ERR_POSTMARK_TLS',
]
/** The pause if the queue of the transport is full, because too many jobs run at once. */
const FULL_MS = 1_000
/** The shortest pause before a key that another worker has is claimed again. */
const HELD_MS = 250

/** Decides what to do after an error of sendMail. */
export function sortFailure(error: unknown): Verdict {
  if (isSendOnceFailure(error)) {
    const { code, forMs = 0, sinceMs = 0, reference } = error
    if (code === 'ERR_POSTMARK_ONCE_HELD') return { kind: 'wait', ms: Math.max(HELD_MS, forMs) }
    if (code === 'ERR_POSTMARK_ONCE_UNKNOWN') return { kind: 'unknown', sinceMs, reference }
    return { kind: code === 'ERR_POSTMARK_ONCE_STORE' ? 'slow' : 'fail' }
  }
  if (isPostmarkError(error)) {
    const { code, problems } = error
    if (code === 'ERR_POSTMARK_CLOSED') return { kind: 'give-back' }
    if (code === 'ERR_POSTMARK_QUEUE_FULL') return { kind: 'wait', ms: FULL_MS }
    // The key of a job is always valid, so it is refused only if the transporter has no store.
    const isOfSettings =
      CODES_OF_SETTINGS.includes(code) || problems.some(({ path }) => path === 'idempotencyKey')
    return { kind: isOfSettings ? 'pause' : 'fail' }
  }
  const { outcome, phase, command, responseCode = 0 } = Object(error) as SmtpFailure
  // An error without an outcome is from before the delivery.
  if (outcome === undefined) return { kind: deliveryOutcome(error) === 'rejected' ? 'fail' : 'retry' }
  if (outcome === 'unknown') return { kind: 'unknown', sinceMs: 0 }
  if (outcome === 'rejected') return { kind: 'fail' }
  if (responseCode === 421) return { kind: 'slow' }
  if (responseCode >= 400 && responseCode < 500)
    return { kind: isBeforeRecipients(phase, command) ? 'slow' : 'retry' }
  return { kind: FAULTS_OF_SETTINGS.includes(explainSmtpError(error)?.anchor) ? 'pause' : 'retry' }
}

/** The deciding part of a failure of the transport. */
interface SmtpFailure {
  readonly outcome?: unknown
  readonly phase?: string
  readonly command?: string
  readonly responseCode?: number
}

function isBeforeRecipients(phase: string | undefined, command: string | undefined): boolean {
  if (phase === 'body' || phase === 'final') return false
  return phase !== 'envelope' || /^MAIL/i.test(command ?? '')
}
