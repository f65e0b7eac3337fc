import type { Failure, SmtpError, SmtpFailureFields } from '../problems/smtp-failure.js'
import { outcomeOfReply, smtpError } from '../problems/smtp-failure.js'
import type { ChannelEnd } from './channel-owner.js'
import type { Reply } from './reply-reader.js'
import type { TransactionHost } from './transaction-host.js'

/** The reply that a transaction waits for next. */
export type Step = 'reset' | 'mail' | 'rcpt' | 'data' | 'body'

/** The progress of a transaction with regard to its email. */
export type TransactionPhase = 'envelope' | 'body' | 'final'

/** What is known about a transaction when it fails. */
interface TransactionFacts {
  readonly phase: TransactionPhase
  readonly step: Step
  /** Whether its envelope was sent in a way that the server may not accept although it offers it. */
  readonly isTried: boolean
  readonly chunked: boolean
  readonly verb: 'DATA' | 'BDAT'
}

/** What is known about its session. */
type SessionFacts = Pick<TransactionHost, 'port' | 'hasServed'>

type Fields = Partial<SmtpFailureFields> & { readonly code: string }

/** Creates the errors of one transaction: what happened, and what it means for the email. */
export class TransactionErrors {
  readonly #facts: TransactionFacts
  readonly #session: SessionFacts

  constructor(facts: TransactionFacts, session: SessionFacts) {
    this.#facts = facts
    this.#session = session
  }

  /** The connection ended. @param limitMs the time limit that may have been exceeded */
  ended(end: ChannelEnd, limitMs: number): Failure {
    const { phase } = this.#facts
    switch (end.kind) {
      case 'late':
        return this.#lost(`${this.#waitedFor} took more than ${limitMs / 1000} s`, {
          code: 'ETIMEDOUT',
          explanation: { envelope: 'envelope-timeout', body: undefined, final: 'final-timeout' }[phase],
        })
      case 'protocol':
        return this.protocol(end.what)
      case 'goodbye':
        // Its replies would have come after the last one, so the server has not obeyed any of its commands.
        if (this.#facts.chunked)
          return this.#unseen(`The server closed the connection: ${end.reply.response}`)
        return this.#lost(`The server closed the connection: ${end.reply.response}`, { code: 'ECONNECTION' })
      case 'lost': {
        const why = end.cause ? `: ${end.cause.message}` : ''
        return this.#lost(`The connection was lost${why}`, { code: 'ECONNECTION', cause: end.cause }, true)
      }
    }
  }

  /** The content of the email could not be read to its end. */
  unreadable(cause: Error): Failure {
    const { code } = cause as { code?: unknown }
    return this.#stopped(cause.message, { code: typeof code === 'string' ? code : 'ESTREAM', cause })
  }

  /** The fence denied it: someone else may have decided about the email. */
  fenced(): Failure {
    const fields = { code: 'EFENCE', explanation: 'claim-over' }
    return this.#stopped('The claim on the idempotency key may have expired', fields)
  }

  /** The server cannot handle emails sent in this way. This does not count as an attempt. */
  groupRefused(why: string): Failure {
    const what =
      this.#facts.verb === 'BDAT' ? 'does not accept mail over BDAT' : 'cannot handle two emails in one write'
    const { error } = this.#stopped(`The server ${what}: ${why}`, { code: 'EPROTOCOL' })
    return { error, retry: 'uncounted' }
  }

  protocol(what: string): Failure {
    return this.#lost(`The server broke the protocol: ${what}`, { code: 'EPROTOCOL' })
  }

  /** A refusal of the email as a whole. */
  refused(what: string, reply: Reply, code = 'EMESSAGE', command?: string): Failure {
    const outcome = outcomeOfReply(reply.code) ?? 'not-sent'
    const error = this.#error(`${what}: ${reply.response}`, { code, command, outcome, ...toFields(reply) })
    return { error, retry: outcome === 'deferred' ? 'counted' : 'never' }
  }

  /** 421 is the last reply of a server. On a session that had gone stale, it says nothing about this email. */
  goodbye(reply: Reply): Failure {
    const { chunked, isTried, phase, step } = this.#facts
    const stale = chunked
      ? step !== 'body'
      : isTried
        ? phase === 'envelope'
        : this.#session.hasServed && step === 'mail'
    const failure = this.refused('The server closed the connection', reply, 'ECONNECTION')
    return stale ? { ...failure, retry: 'uncounted' } : failure
  }

  recipientRefused(recipient: string, reply: Reply, outcome: 'deferred' | 'rejected'): SmtpError {
    const error = this.#error(`The recipient ${recipient} was refused: ${reply.response}`, {
      code: 'EENVELOPE',
      command: 'RCPT TO',
      outcome,
      ...toFields(reply),
    })
    return Object.assign(error, { recipient })
  }

  /** Every recipient was refused. Deferred only if each may be tried again. */
  allRefused(to: readonly string[], errors: readonly SmtpError[]): Failure {
    const final = errors.find(({ outcome }) => outcome === 'rejected')
    const { response, responseCode } = final ?? errors.at(-1)!
    const who = to.length === 1 ? `The recipient ${to[0]} was` : `All ${to.length} recipients were`
    const error = this.#error(`${who} refused: ${response}`, {
      code: 'EENVELOPE',
      command: 'RCPT TO',
      outcome: final ? 'rejected' : 'deferred',
      response: response!,
      responseCode: responseCode!,
    })
    Object.assign(error, { rejected: [...to], rejectedErrors: errors })
    return { error, retry: final ? 'never' : 'counted' }
  }

  /** A failure on our side: the end of the body has not been sent. */
  #stopped(message: string, fields: Fields): Failure {
    return { error: this.#error(message, { outcome: 'not-sent', ...fields }), retry: 'never' }
  }

  /** The server closed the connection before it processed the email. */
  #unseen(message: string): Failure {
    const fields = { code: 'ECONNECTION', phase: 'envelope', outcome: 'not-sent' } as const
    return { error: this.#error(message, fields), retry: 'uncounted' }
  }

  /** No usable reply arrived. Once the end of the body is written, the email may have arrived. */
  #lost(message: string, fields: Fields, gone = false): Failure {
    const { phase, isTried } = this.#facts
    if (phase === 'final')
      return { error: this.#error(message, { ...fields, outcome: 'unknown' }), retry: 'never' }
    const error = this.#error(message, { ...fields, outcome: 'not-sent' })
    // A session that ends before the reply to DATA may have ended before the email was sent to it.
    const stale = phase === 'envelope' && (isTried || (gone && this.#session.hasServed))
    return { error, retry: stale ? 'uncounted' : 'counted' }
  }

  #error(message: string, fields: Fields & Pick<SmtpFailureFields, 'outcome'>): SmtpError {
    // If an email was sent as a whole, its envelope is refused when the email is in its last phase.
    const phase = fields.code === 'EENVELOPE' ? 'envelope' : this.#facts.phase
    return smtpError(message, { command: this.#command, phase, port: this.#session.port, ...fields })
  }

  get #command(): string {
    const { chunked, phase, step, verb } = this.#facts
    if (chunked || phase !== 'envelope') return verb
    return { reset: 'RSET', mail: 'MAIL FROM', rcpt: 'RCPT TO', data: verb, body: verb }[step]
  }

  get #waitedFor(): string {
    const { phase } = this.#facts
    if (phase === 'final') return 'The reply to the email'
    return phase === 'body' ? 'A part of the body' : `The reply to ${this.#command}`
  }
}

function toFields({ response, code }: Reply): { response: string; responseCode: number } {
  return { response, responseCode: code }
}
