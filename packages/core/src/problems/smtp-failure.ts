import type { DeliveryOutcome } from './delivery-outcome.js'

/**
 * Where a mail is: being compiled, waiting for a session, at the race over the ports, at TLS, at the login, at MAIL, RCPT and DATA, in
 * its body, or waiting for the reply to it.
 */
export type SendPhase = 'compile' | 'queue' | 'connect' | 'tls' | 'login' | 'envelope' | 'body' | 'final'

/** Why one recipient, or all, were refused. */
interface SmtpReplyFields {
  readonly response: string
  readonly responseCode: number
}

/** What is known of a failure at the moment when it happens. */
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

/** An error of the transport, with everything that is known of it. */
export type SmtpError = Error & SmtpFailureFields

/** What a failure means for the mail that met it. */
export interface Failure {
  readonly error: SmtpError
  /**
   * Whether the mail may be tried again without the risk of a second copy: `counted` as an attempt; `uncounted` where
   * the session was gone before the server had a chance to see the mail; or `never`.
   */
  readonly retry: 'counted' | 'uncounted' | 'never'
}

/** Makes the error of a failure, once, where it is known what happened. */
export function smtpError(message: string, fields: SmtpFailureFields): SmtpError {
  const { cause, ...rest } = fields
  const error = new Error(message, cause === undefined ? undefined : { cause })
  for (const [name, value] of Object.entries(rest))
    if (value !== undefined) Object.assign(error, { [name]: value })
  return error as SmtpError
}

/** The same failure for another mail, whose error is one of its own: it is completed for its mail. */
export function copyFailure({ error, retry }: Failure): Failure {
  return { error: smtpError(error.message, { ...error, cause: error.cause }), retry }
}

/** The outcome that follows from a reply; undefined for one that is no refusal. */
export function outcomeOfReply(code: number): 'deferred' | 'rejected' | undefined {
  if (code >= 400 && code < 500) return 'deferred'
  return code >= 500 && code < 600 ? 'rejected' : undefined
}
