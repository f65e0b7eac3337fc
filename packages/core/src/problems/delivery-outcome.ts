import { isRecord } from './describe.js'
import { isPostmarkError } from './error.js'

/**
 * What became of a mail whose sendMail failed: `not-sent` (the server did not get it), `rejected` (5xx),
 * `deferred` (4xx), or `unknown` (it may have been accepted: sending it again may double it).
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

/** Codes of failures on the way to a session, in which no mail can have been handed over. */
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
 * Tells what became of a mail from the error of sendMail. An error of `createPostmarkTransport` carries it as
 * `outcome`; any other is judged only by a reply code or a failure before the session, else it is `unknown`.
 * @example if (deliveryOutcome(error) === 'unknown') await findByMetadata('order-id', order.id)
 */
export function deliveryOutcome(error: unknown): DeliveryOutcome {
  if (!isRecord(error)) return 'unknown'
  if (isOutcome(error.outcome)) return error.outcome
  if (isPostmarkError(error)) return 'not-sent'
  return replyOutcome(error) ?? (isBeforeSession(error) ? 'not-sent' : 'unknown')
}

/** The outcome that follows from a reply code; a login that was refused says nothing of the mail. */
function replyOutcome(error: Readonly<Record<string, unknown>>): DeliveryOutcome | undefined {
  const { code, response, responseCode } = error
  if (typeof responseCode !== 'number') return undefined
  // TLS that is refused for good is a matter of the port; one that is refused for now may come with the next attempt.
  if (isTlsFailure(error) && responseCode >= 500) return undefined
  // A connection that broke may leave the fragment of a reply: without what follows the digits it is none.
  if (isLostConnection(error) && !/^[45]\d\d[ -]/.test(String(response))) return undefined
  if (responseCode >= 400 && responseCode < 500) return 'deferred'
  if (responseCode >= 500 && responseCode < 600) return code === 'EAUTH' ? 'not-sent' : 'rejected'
  return undefined
}

/** Whether STARTTLS was not there, or the server's certificate was not to be trusted. */
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

/** Whether the connection broke, or none came about. */
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
