import { isTlsFailure } from './delivery-outcome.js'
import { isRecord } from './describe.js'
import { addToMessage } from './error.js'

/** The cause of a failed send. */
export interface SmtpExplanation {
  /** Anchor of docs/errors.md. @example 'login-refused' */
  readonly anchor: string
  /** What most likely went wrong. */
  readonly reason: string
  /** What to do about it. */
  readonly cure: string
  /** The error that was explained, without secrets. */
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

/** For what only this transport can tell: it marks its errors with the anchor. */
const NEVER = () => false

/** The failures that people meet, most telling first: docs/errors.md is made from this table. */
export const SMTP_FAILURES: Readonly<Record<string, Row>> = {
  'account-token': {
    reason: 'The token is an account API token, or another one that does not work for SMTP.',
    cure: 'Use a Server API token: Servers, your server, API Tokens. The account token looks alike.',
    matches: ({ text }) => /ServerAPI key required/i.test(text),
  },
  'user-is-not-password': {
    reason: 'User name and password differ, where a server token must be both.',
    cure: 'Give the Server API token twice, or use `serverToken`.',
    matches: ({ text }) => /user ?name and password (must|do not|don.t)/i.test(text),
  },
  'no-safe-mechanism': {
    reason: 'The server offers no way to log in that keeps the token safe.',
    cure: 'Check the host; without TLS only DIGEST-MD5 and CRAM-MD5 will do.',
    matches: ({ code, text }) => code === 'EAUTH' && /No credential was sent/.test(text),
  },
  'login-refused': {
    reason:
      'Postmark refused the login. Causes: an account token in place of a Server API token, a revoked token, a user name that is not the password, SMTP access that is switched off for the server.',
    cure: 'Copy the Server API token again, and switch SMTP on in the settings of the stream.',
    matches: ({ code, responseCode }) => code === 'EAUTH' && responseCode >= 500,
  },
  'starttls-missing': {
    reason: 'The server offers no STARTTLS: something on the way hides it, or it is not Postmark.',
    cure: 'Try from another network, or another port. No credential was sent.',
    matches: ({ code, text }) =>
      code === 'ETLS' && /STARTTLS|not advertised|Error upgrading/i.test(text) && !/certificate/i.test(text),
  },
  certificate: {
    reason:
      'The certificate of the server cannot be trusted: it is expired, self-signed, or for another host.',
    cure: 'Check clock and host. For a server of your own give its certificate in `tls: { ca }`; for the sandbox use the URL that it prints. Never switch verification off.',
    matches: ({ error, text }) => isTlsFailure(error) && /certificate|altname|CERT_|issuer/i.test(text),
  },
  'implicit-tls': {
    reason: 'TLS was spoken where the server greets in clear: `secure: true`, or port 465.',
    cure: 'Leave `secure` out: Postmark uses STARTTLS on 587, 2525 and 25.',
    matches: ({ text }) => /wrong version number|packet length too long|EPROTO/i.test(text),
  },
  'sender-not-verified': {
    reason: 'The From address is no verified sender signature or domain of this server.',
    cure: 'Verify the domain in Sender Signatures, or send from one that is verified. Over SMTP Postmark reports this later, as a bounce.',
    matches: ({ text }) => /from address .* (not found|not a sender)|sender signature/i.test(text),
  },
  'wrong-host-for-stream': {
    reason: 'The stream is of the other type than the host.',
    cure: 'Declare the type: streams: { news: { type: "broadcasts" } }. Broadcasts have a host of their own.',
    matches: ({ text }) => /message stream/i.test(text),
  },
  'host-not-found': {
    reason: 'The name of the host cannot be resolved.',
    cure: 'Check the name and the DNS of this machine.',
    matches: ({ code, text }) => /EDNS|ENOTFOUND|EAI_AGAIN/.test(`${code} ${text}`),
  },
  'nothing-listens': {
    reason: 'Nothing listens at this port of this machine.',
    cure: 'Start the server there, or correct host and port. The sandbox (npx @postmark-smtp/sandbox) prints the URL to use.',
    matches: ({ text }) => /ECONNREFUSED (127\.|::1)/.test(text),
  },
  'connection-refused': {
    reason: 'The host refuses connections at every port that was tried.',
    cure: 'Check host and ports; Postmark listens on 587, 2525 and 25. A firewall may answer in its place.',
    matches: ({ text }) => /ECONNREFUSED/.test(text),
  },
  'port-blocked': {
    reason:
      'No port of the host answers: a firewall or the provider of this machine blocks them, or what listens there speaks no SMTP.',
    cure: 'Check host and ports, and open 587 or 2525 outwards. Port 25 is often blocked.',
    matches: ({ code, error }) =>
      error.command === 'CONN' && /ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EACCES/.test(code),
  },
  'no-smtp-server': {
    reason:
      'Something takes the connection and does not greet as an SMTP server does: host or port is another service’s.',
    cure: 'Check host and ports; Postmark listens on 587, 2525 and 25. The sandbox prints the URL to use.',
    matches: NEVER,
  },
  'credentials-late': {
    reason: 'The function `credentials` took longer than a login may take.',
    cure: 'Let it keep what it fetched, or raise `timeouts.replyMs`.',
    matches: NEVER,
  },
  'login-timeout': {
    reason:
      'The server greeted, and did not finish TLS and login in time: it is overloaded, or something on the way holds the connection.',
    cure: 'Try again later. `timeouts.replyMs` sets how long is waited.',
    matches: NEVER,
  },
  'envelope-timeout': {
    reason:
      'The server took the login, and did not answer sender, recipients or DATA in time. The mail was not sent.',
    cure: 'Try again later. `timeouts.replyMs` sets how long is waited.',
    matches: NEVER,
  },
  'claim-over': {
    reason:
      'The process could not renew the claim on the idempotency key in time: it was stopped for too long, or could not reach its send-once store. The mail was not sent, since another process may have taken the key.',
    cure: 'Send again under the same key.',
    matches: NEVER,
  },
  'final-timeout': {
    reason:
      'The server got the whole mail, and did not say in time whether it took it: it may have been sent.',
    cure: 'Do not send it again before you know: look for it at Postmark by its metadata. `timeouts.finalMs` sets how long is waited.',
    matches: NEVER,
  },
}

/**
 * Explains an error of sendMail or verify: what most likely went wrong, and what to do; undefined where it has
 * nothing to add to the error itself.
 * @example explainSmtpError(error)?.cure
 * @see docs/errors.md
 */
export function explainSmtpError(error: unknown): SmtpExplanation | undefined {
  if (!isRecord(error)) return undefined
  // An error of this transport was explained where it was known what happened; the texts of others are read.
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

/** What only the text of a reply says, also in an error of this transport. */
const READ_FROM_REPLIES = ['sender-not-verified', 'wrong-host-for-stream']

/** Adds a note, and reason and cure where there are some, to the message of an error, and the cure as its `hint`. */
export function explainInMessage(error: Error, note = ''): Error {
  const explained = 'hint' in error ? undefined : explainSmtpError(error)
  const sentences = [note, ...(explained ? [explained.reason, explained.cure] : [])].filter(
    (each) => each !== '',
  )
  if (sentences.length > 0) addToMessage(error, sentences.join(' '))
  return explained ? Object.assign(error, { hint: explained.cure }) : error
}
