import type { Failure, SendPhase, SmtpFailureFields } from '../problems/smtp-failure.js'
import { outcomeOfReply, smtpError } from '../problems/smtp-failure.js'
import type { ChannelEnd } from './channel-owner.js'
import type { Reply } from './reply-reader.js'

/** Carries a failure out of the steps of a handshake. Only the handshake sees it. */
export class HandshakeError {
  constructor(
    readonly failure: Failure,
    readonly ofPort: boolean,
  ) {}
}

/** Creates the errors of one handshake. */
export class HandshakeErrors {
  readonly #port: number | undefined
  readonly #limitMs: number

  constructor({ port, limitMs }: { readonly port: number | undefined; readonly limitMs: number }) {
    this.#port = port
    this.#limitMs = limitMs
  }

  /** A refusal with a reply. After 4xx, the next attempt may succeed. */
  refused(reply: Reply, phase: SendPhase, command: string): HandshakeError {
    const outcome = outcomeOfReply(reply.code)
    if (!outcome) return this.protocol(`the reply ${reply.code} to ${command}`, phase)
    const code = command.startsWith('AUTH') ? 'EAUTH' : 'EPROTOCOL'
    const message = `The server refused ${command}: ${reply.response}`
    return this.error(
      message,
      phase,
      { code, command, outcome, ...toFields(reply) },
      outcome === 'deferred' ? 'counted' : 'never',
    )
  }

  /** The login was refused permanently. */
  loginRefused(method: string, reply: Reply): HandshakeError {
    return this.error(
      `The login was refused (${method}): ${reply.response}`,
      'login',
      {
        code: 'EAUTH',
        command: `AUTH ${method}`,
        ...toFields(reply),
        explanation: explainRefusal(reply.response),
      },
      'never',
    )
  }

  protocol(what: string, phase: SendPhase): HandshakeError {
    return this.error(
      `The server broke the protocol: ${what}`,
      phase,
      { code: 'EPROTOCOL' },
      phase === 'tls' ? 'never' : 'counted',
    )
  }

  tls(message: string, fields: Partial<SmtpFailureFields>): HandshakeError {
    return this.error(message, 'tls', { code: 'ETLS', command: 'STARTTLS', ...fields }, 'never', true)
  }

  /** Distinguishes a broken connection from TLS that is not possible. */
  ofTls(cause: Error): HandshakeError {
    const { code = '' } = cause as { code?: string }
    if (/^(ECONNRESET|EPIPE|ETIMEDOUT|ECONNABORTED)$/.test(code))
      return this.error(
        `The TLS handshake broke off: ${cause.message}`,
        'tls',
        { code: 'ECONNECTION', cause },
        'counted',
      )
    const untrusted =
      /^(CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_)/.test(code)
    const explanation = untrusted ? 'certificate' : undefined
    return this.tls(`TLS failed: ${cause.message}`, { cause, explanation })
  }

  /** The connection ended, at TLS or at the login. */
  ended(end: ChannelEnd, phase: 'tls' | 'login'): HandshakeError {
    const seconds = this.#limitMs / 1000
    switch (end.kind) {
      case 'goodbye':
        return this.refused(end.reply, phase, 'the session')
      case 'protocol':
        return this.protocol(end.what, phase)
      case 'late':
        return this.error(
          `TLS and login took more than ${seconds} s`,
          phase,
          { code: 'ETIMEDOUT', explanation: 'login-timeout' },
          'counted',
        )
      case 'lost': {
        const { cause } = end
        const why = cause ? `: ${cause.message}` : ''
        return this.error(
          `The connection was lost before the login${why}`,
          phase,
          { code: 'ECONNECTION', cause },
          'counted',
        )
      }
    }
  }

  /** The time limit for TLS and login was exceeded before the caller provided credentials. */
  loginMissing(): HandshakeError {
    return this.error(
      `The function \`credentials\` returned nothing within the ${this.#limitMs / 1000} s allowed for TLS and login`,
      'login',
      { code: 'ETIMEDOUT', explanation: 'credentials-late' },
      'counted',
    )
  }

  error(
    message: string,
    phase: SendPhase,
    fields: Partial<SmtpFailureFields> & { readonly code: string },
    retry: Failure['retry'],
    ofPort = false,
  ): HandshakeError {
    const port = this.#port
    return new HandshakeError(
      { error: smtpError(message, { outcome: 'not-sent', phase, port, ...fields }), retry },
      ofPort,
    )
  }
}

/** The properties of an error that come from a reply. */
export function toFields(reply: Reply | undefined): { response?: string; responseCode?: number } {
  return reply ? { response: reply.response, responseCode: reply.code } : {}
}

/** Recognises Postmark's texts that name the cause; see docs/errors.md. */
function explainRefusal(response: string): string {
  if (/ServerAPI key required/i.test(response)) return 'account-token'
  return /user ?name and password (must|do not|don.t)/i.test(response)
    ? 'user-is-not-password'
    : 'login-refused'
}
