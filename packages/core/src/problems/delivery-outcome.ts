import { isRecord } from './describe.js'
import { isPostmarkError } from './error.js'

/**
 * What became of an email whose sendMail call failed: `not-sent` (the server did not get it), `rejected` (5xx),
 * `deferred` (4xx), or `unknown` (it may have been accepted, so sending it again may duplicate it).
 */
export type DeliveryOutcome = 'not-sent' | 'rejected' | 'deferred' | 'unknown'

const OUTCOMES: readonly unknown[] = [
  'not-sent',
  'rejected',
  'deferred',
  'unknown',
] satisfies DeliveryOutcome[]

/** Whether a value is one of the outcomes. */
export function isOutcome(value: unknown): value is DeliveryOutcome {
  return OUTCOMES.includes(value)
}

/** Codes of failures before a session, when no email can have been handed over. */
const BEFORE_SESSION = [
  'EAUTH',
  'EDNS',
  'ECONFIG',
  'EFILEACCESS',
  'EURLACCESS',
  'ENOTFOUND',
  'ECONNREFUSED',
  'EAI_AGAIN',
]

/**
 * Returns what became of an email, given the error from sendMail. An error from `createPostmarkTransport` carries it as
 * `outcome`. Any other error is judged only by a reply code or by a failure before the session; otherwise the result is
 * `unknown`.
 * @example if (deliveryOutcome(error) === 'unknown') await findByMetadata('order-id', order.id)
 */
export function deliveryOutcome(error: unknown): DeliveryOutcome {
  if (!isRecord(error)) return 'unknown'
  if (isOutcome(error.outcome)) return error.outcome
  if (isPostmarkError(error)) return 'not-sent'
  return replyOutcome(error) ?? (isBeforeSession(error) ? 'not-sent' : 'unknown')
}

/** The outcome that follows from a reply code. A refused login says nothing about the email. */
function replyOutcome(error: Readonly<Record<string, unknown>>): DeliveryOutcome | undefined {
  const { code, response, responseCode } = error
  if (typeof responseCode !== 'number') return undefined
  // A permanent refusal of TLS concerns the port; a temporary one may pass by the next attempt.
  if (isTlsFailure(error) && responseCode >= 500) return undefined
  // A broken connection may leave a fragment of a reply. Digits with nothing after them are not a reply.
  if (isLostConnection(error) && !/^[45]\d\d[ -]/.test(String(response))) return undefined
  if (responseCode >= 400 && responseCode < 500) return 'deferred'
  if (responseCode >= 500 && responseCode < 600) return code === 'EAUTH' ? 'not-sent' : 'rejected'
  return undefined
}

/** Whether STARTTLS was not offered, or the server's certificate could not be trusted. */
export function isTlsFailure({
  code,
  originalCode,
  message,
}: {
  readonly code?: unknown
  readonly originalCode?: unknown
  readonly message?: unknown
}): boolean {
  if (code === 'ETLS') return true
  const codes = `${code} ${originalCode}`
  return (
    /\b(CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH)/.test(codes) ||
    /Error initiating TLS|certificate|SSL routines|wrong version number/i.test(String(message))
  )
}

/** Whether the connection broke or could not be opened. */
function isLostConnection({ code, message }: Readonly<Record<string, unknown>>): boolean {
  if (typeof code !== 'string') return /connection (was )?closed|socket close/i.test(String(message))
  return /^(ECONNECTION|ESOCKET|ETIMEDOUT|ECONNRESET|ECONNREFUSED|ECONNABORTED|EPIPE|EDNS|EAI_AGAIN|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EPROTOCOL)$/.test(
    code,
  )
}

function isBeforeSession(error: Readonly<Record<string, unknown>>): boolean {
  const { code, syscall } = error
  return (
    isTlsFailure(error) ||
    BEFORE_SESSION.includes(String(code)) ||
    syscall === 'connect' ||
    syscall === 'getaddrinfo'
  )
}
