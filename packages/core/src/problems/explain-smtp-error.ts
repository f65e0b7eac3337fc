import { isTlsFailure } from './delivery-outcome.js'
import { isRecord } from './describe.js'
import { addToMessage } from './error.js'

/** The cause of a failed send. */
export interface SmtpExplanation {
  /** Anchor in docs/errors.md. @example 'login-refused' */
  readonly anchor: string
  /** What most likely went wrong. */
  readonly reason: string
  /** What to do about it. */
  readonly cure: string
  /** The explained error, without secrets. */
  readonly cause: unknown
}

interface Row {
  readonly reason: string
  readonly cure: string
  matches(error: Failure): boolean
}

/** The parts of an error that rows look at. */
interface Failure {
  readonly code: string
  readonly responseCode: number
  readonly text: string
  readonly error: Readonly<Record<string, unknown>>
}

/** For failures that only this transport can recognise: it marks its errors with the anchor. */
const NEVER = () => false

/** Common failures, the most specific first. docs/errors.md is generated from this table. */
export const SMTP_FAILURES: Readonly<Record<string, Row>> = {
  'account-token': {
    reason: 'The token is an account API token, or another token that does not work over SMTP.',
    cure: 'Use a Server API token: in Postmark, open Servers, your server, API Tokens. An account token looks the same.',
    matches: ({ text }) => /ServerAPI key required/i.test(text),
  },
  'user-is-not-password': {
    reason: 'User name and password differ, but a Server API token must be used as both.',
    cure: 'Use the Server API token as user name and password, or set `serverToken`.',
    matches: ({ text }) => /user ?name and password (must|do not|don.t)/i.test(text),
  },
  'no-safe-mechanism': {
    reason: 'The server offers no login method that keeps the token safe.',
    cure: 'Check the host. Without TLS, only DIGEST-MD5 and CRAM-MD5 are used.',
    matches: ({ code, text }) => code === 'EAUTH' && /No credential was sent/.test(text),
  },
  'login-refused': {
    reason:
      'Postmark refused the login. Possible causes: an account token instead of a Server API token, a revoked token, a user name that differs from the password, or SMTP access that is disabled for the server.',
    cure: 'Copy the Server API token again, and enable SMTP in the settings of the server.',
    matches: ({ code, responseCode }) => code === 'EAUTH' && responseCode >= 500,
  },
  'starttls-missing': {
    reason:
      'The server does not offer STARTTLS: something in between hides it, or the server is not Postmark.',
    cure: 'Try another network or another port. No credential was sent.',
    matches: ({ code, text }) =>
      code === 'ETLS' && /STARTTLS|not advertised|Error upgrading/i.test(text) && !/certificate/i.test(text),
  },
  certificate: {
    reason:
      'The server\u2019s certificate cannot be trusted: it is expired, self-signed, or issued for another host.',
    cure: 'Check the clock and the host. For your own server, pass its certificate as `tls: { ca }`. For the sandbox, use the URL that it prints. Never turn verification off.',
    matches: ({ error, text }) => isTlsFailure(error) && /certificate|altname|CERT_|issuer/i.test(text),
  },
  'implicit-tls': {
    reason:
      'The client started TLS immediately, but the server greets in plaintext first: `secure: true` is set, or the port is 465.',
    cure: 'Remove `secure`: Postmark uses STARTTLS on ports 587, 2525 and 25.',
    matches: ({ text }) => /wrong version number|packet length too long|EPROTO/i.test(text),
  },
  'sender-not-verified': {
    reason: 'The From address does not belong to a verified sender signature or domain of this server.',
    cure: 'Verify the domain under Sender Signatures, or send from a verified address. Over SMTP, Postmark reports this later as a bounce.',
    matches: ({ text }) => /from address .* (not found|not a sender)|sender signature/i.test(text),
  },
  'wrong-host-for-stream': {
    reason: 'The type of the stream does not match the host.',
    cure: 'Declare the type: streams: { news: { type: "broadcasts" } }. Broadcasts use a separate host.',
    matches: ({ text }) => /message stream/i.test(text),
  },
  'host-not-found': {
    reason: 'The host name cannot be resolved.',
    cure: 'Check the name and this machine\u2019s DNS.',
    matches: ({ code, text }) => /EDNS|ENOTFOUND|EAI_AGAIN/.test(`${code} ${text}`),
  },
  'nothing-listens': {
    reason: 'Nothing is listening on this port of this machine.',
    cure: 'Start the server, or correct the host and port. The sandbox (npx @postmark-smtp/sandbox) prints the URL to use.',
    matches: ({ text }) => /ECONNREFUSED (127\.|::1)/.test(text),
  },
  'connection-refused': {
    reason: 'The host refused connections on every port that was tried.',
    cure: 'Check the host and ports. Postmark listens on ports 587, 2525 and 25. A firewall may be refusing the connection.',
    matches: ({ text }) => /ECONNREFUSED/.test(text),
  },
  'port-blocked': {
    reason:
      'No port of the host answers: a firewall or your hosting provider blocks them, or the service there does not speak SMTP.',
    cure: 'Check the host and ports, and allow outbound connections on port 587 or 2525. Port 25 is often blocked.',
    matches: ({ code, error }) =>
      error.command === 'CONN' && /ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EACCES/.test(code),
  },
  'no-smtp-server': {
    reason:
      'Something accepts the connection but does not greet like an SMTP server: the host or port belongs to another service.',
    cure: 'Check the host and ports. Postmark listens on ports 587, 2525 and 25. The sandbox prints the URL to use.',
    matches: NEVER,
  },
  'credentials-late': {
    reason: 'The function `credentials` did not return in time for the login.',
    cure: 'Cache what it fetches, or raise `timeouts.replyMs`.',
    matches: NEVER,
  },
  'login-timeout': {
    reason:
      'The server greeted but did not finish TLS and login in time: it is overloaded, or something in between stalls the connection.',
    cure: 'Try again later. `timeouts.replyMs` sets the time limit.',
    matches: NEVER,
  },
  'envelope-timeout': {
    reason:
      'The server accepted the login but did not reply to the sender, the recipients or DATA in time. The email was not sent.',
    cure: 'Try again later. `timeouts.replyMs` sets the time limit.',
    matches: NEVER,
  },
  'claim-over': {
    reason:
      'The process could not renew its claim on the idempotency key in time: it was paused for too long, or could not reach the send-once store. The email was not sent because another process may have claimed the key.',
    cure: 'Send again with the same key.',
    matches: NEVER,
  },
  'final-timeout': {
    reason: 'The server received the whole email but did not reply in time. The email may have been sent.',
    cure: 'Do not send it again until you know: look it up in Postmark by its metadata. `timeouts.finalMs` sets the time limit.',
    matches: NEVER,
  },
}

/**
 * Explains an error from sendMail or verify: what most likely went wrong, and what to do. Returns undefined if there is
 * nothing to add to the error itself.
 * @example explainSmtpError(error)?.cure
 * @see docs/errors.md
 */
export function explainSmtpError(error: unknown): SmtpExplanation | undefined {
  if (!isRecord(error)) return undefined
  // An error of this transport carries its explanation; for other errors, the text is examined.
  const known = typeof error.explanation === 'string' ? SMTP_FAILURES[error.explanation] : undefined
  if (known)
    return { anchor: String(error.explanation), reason: known.reason, cure: known.cure, cause: error }
  const isOurs = typeof error.phase === 'string' && typeof error.outcome === 'string'
  const failure: Failure = {
    code: String(error.code ?? ''),
    responseCode: typeof error.responseCode === 'number' ? error.responseCode : 0,
    text: `${error.code ?? ''} ${error.message ?? ''} ${error.response ?? ''} ${error.originalCode ?? ''}`,
    error,
  }
  for (const [anchor, { matches, reason, cure }] of Object.entries(SMTP_FAILURES)) {
    if (isOurs && !READ_FROM_REPLIES.includes(anchor)) continue
    if (matches(failure)) return { anchor, reason, cure, cause: error }
  }
  return undefined
}

/** What only the text of a reply shows, even in an error of this transport. */
const READ_FROM_REPLIES = ['sender-not-verified', 'wrong-host-for-stream']

/** Adds a note to the message of an error, and its reason and cure if there are any; the cure also becomes its `hint`. */
export function explainInMessage(error: Error, note = ''): Error {
  const explained = 'hint' in error ? undefined : explainSmtpError(error)
  const sentences = [note, ...(explained ? [explained.reason, explained.cure] : [])].filter(
    (each) => each !== '',
  )
  if (sentences.length > 0) addToMessage(error, sentences.join(' '))
  return explained ? Object.assign(error, { hint: explained.cure }) : error
}
