import type { DeliveryOutcome } from './delivery-outcome.js'

/**
 * Where an email is: being compiled, waiting for a session, racing the ports, in TLS, in the login, in MAIL, RCPT and
 * DATA, in its body, or waiting for the final reply.
 */
export type SendPhase = 'compile' | 'queue' | 'connect' | 'tls' | 'login' | 'envelope' | 'body' | 'final'

/** Why one recipient, or all, were refused. */
interface SmtpReplyFields {
  readonly response: string
  readonly responseCode: number
}

/** What is known about a failure when it happens. */
export interface SmtpFailureFields extends Partial<SmtpReplyFields> {
  /** As Nodemailer names it. @example 'ETIMEDOUT' */
  readonly code: string
  readonly phase: SendPhase
  readonly outcome: DeliveryOutcome
  /** The command that failed. @example 'RCPT TO' */
  readonly command?: string | undefined
  readonly port?: number | undefined
  /** The anchor of docs/errors.md that explains it. @example 'login-refused' */
  readonly explanation?: string | undefined
  readonly cause?: unknown
}

/** An error of the transport, with everything that is known about it. */
export type SmtpError = Error & SmtpFailureFields

/** What a failure means for its email. */
export interface Failure {
  readonly error: SmtpError
  /**
   * Whether the email may be retried without the risk of a duplicate: `counted` as an attempt; `uncounted` if the
   * session had ended before the server could see the email; or `never`.
   */
  readonly retry: 'counted' | 'uncounted' | 'never'
}

/** Creates the error of a failure, once, where the cause is known. */
export function smtpError(message: string, fields: SmtpFailureFields): SmtpError {
  const { cause, ...rest } = fields
  const error = new Error(message, cause === undefined ? undefined : { cause })
  for (const [name, value] of Object.entries(rest))
    if (value !== undefined) Object.assign(error, { [name]: value })
  return error as SmtpError
}

/** The same failure for another email, with a separate error that is completed for that email. */
export function copyFailure({ error, retry }: Failure): Failure {
  return { error: smtpError(error.message, { ...error, cause: error.cause }), retry }
}

/** The outcome that follows from a reply. Undefined if the reply is not a refusal. */
export function outcomeOfReply(code: number): 'deferred' | 'rejected' | undefined {
  if (code >= 400 && code < 500) return 'deferred'
  return code >= 500 && code < 600 ? 'rejected' : undefined
}
