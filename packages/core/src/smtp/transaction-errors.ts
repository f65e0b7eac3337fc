import type { Failure, SmtpError, SmtpFailureFields } from '../problems/smtp-failure.js'
import { outcomeOfReply, smtpError } from '../problems/smtp-failure.js'
import type { ChannelEnd } from './channel-owner.js'
import type { Reply } from './reply-reader.js'
import type { TransactionHost } from './transaction-host.js'

/** Which reply a transaction awaits next. */
export type Step = 'reset' | 'mail' | 'rcpt' | 'data' | 'body'

/** How far a transaction is, as far as its mail is concerned. */
export type TransactionPhase = 'envelope' | 'body' | 'final'

/** What is known of a transaction at the moment when it fails. */
interface TransactionFacts {
  readonly phase: TransactionPhase
  readonly step: Step
  /** Whether its envelope was sent in a way that the server may not take, although it offers it. */
  readonly isTried: boolean
  readonly chunked: boolean
  readonly verb: 'DATA' | 'BDAT'
}

/** What is known of its session. */
type SessionFacts = Pick<TransactionHost, 'port' | 'hasServed'>

type Fields = Partial<SmtpFailureFields> & { readonly code: string }

/** Makes the errors of one transaction: what happened, and what it means for the mail. */
export class TransactionErrors {
  readonly #facts: TransactionFacts
  readonly #session: SessionFacts

  constructor(facts: TransactionFacts, session: SessionFacts) {
    this.#facts = facts
    this.#session = session
  }

  /** The connection ended. @param limitMs the limit that may have been over */
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
        // Its replies would have come after the one that was the last: the server has not obeyed a command of it.
        if (this.#facts.chunked)
          return this.#unseen(`The server closed the connection: ${end.reply.response}`)
        return this.#lost(`The server closed the connection: ${end.reply.response}`, { code: 'ECONNECTION' })
      case 'lost': {
        const why = end.cause ? `: ${end.cause.message}` : ''
        return this.#lost(`The connection was lost${why}`, { code: 'ECONNECTION', cause: end.cause }, true)
      }
    }
  }

  /** The content of the mail could not be read to its end. */
  unreadable(cause: Error): Failure {
    const { code } = cause as { code?: unknown }
    return this.#stopped(cause.message, { code: typeof code === 'string' ? code : 'ESTREAM', cause })
  }

  /** The fence said no: somebody else may have decided about the mail. */
  fenced(): Failure {
    const fields = { code: 'EFENCE', explanation: 'claim-over' }
    return this.#stopped('The claim on the idempotency key may have expired', fields)
  }

  /** The server cannot take mails as this one was sent: it has had no attempt. */
  groupRefused(why: string): Failure {
    const what =
      this.#facts.verb === 'BDAT' ? 'does not accept mail over BDAT' : 'cannot handle two mails in one write'
    const { error } = this.#stopped(`The server ${what}: ${why}`, { code: 'EPROTOCOL' })
    return { error, retry: 'uncounted' }
  }

  protocol(what: string): Failure {
    return this.#lost(`The server broke the protocol: ${what}`, { code: 'EPROTOCOL' })
  }

  /** A refusal of the mail as a whole. */
  refused(what: string, reply: Reply, code = 'EMESSAGE', command?: string): Failure {
    const outcome = outcomeOfReply(reply.code) ?? 'not-sent'
    const error = this.#error(`${what}: ${reply.response}`, { code, command, outcome, ...toFields(reply) })
    return { error, retry: outcome === 'deferred' ? 'counted' : 'never' }
  }

  /** 421 is the last that a server says; on a session that had gone stale it says nothing of this mail. */
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

  /** Every recipient was refused: deferred only where each may be tried again. */
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

  /** A failure of our own side: nothing of the end of the body is out. */
  #stopped(message: string, fields: Fields): Failure {
    return { error: this.#error(message, { outcome: 'not-sent', ...fields }), retry: 'never' }
  }

  /** The server closed the connection before it came to the mail. */
  #unseen(message: string): Failure {
    const fields = { code: 'ECONNECTION', phase: 'envelope', outcome: 'not-sent' } as const
    return { error: this.#error(message, fields), retry: 'uncounted' }
  }

  /** Nothing, or nothing of use, was said: from the write of the end of the body on, the mail may have arrived. */
  #lost(message: string, fields: Fields, gone = false): Failure {
    const { phase, isTried } = this.#facts
    if (phase === 'final')
      return { error: this.#error(message, { ...fields, outcome: 'unknown' }), retry: 'never' }
    const error = this.#error(message, { ...fields, outcome: 'not-sent' })
    // A session that is gone before DATA was answered may have been so before the mail came to it.
    const stale = phase === 'envelope' && (isTried || (gone && this.#session.hasServed))
    return { error, retry: stale ? 'uncounted' : 'counted' }
  }

  #error(message: string, fields: Fields & Pick<SmtpFailureFields, 'outcome'>): SmtpError {
    // The envelope of a mail that went out as a whole is refused when the mail is in its last phase.
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
    if (phase === 'final') return 'The reply to the mail'
    return phase === 'body' ? 'A part of the body' : `The reply to ${this.#command}`
  }
}

function toFields({ response, code }: Reply): { response: string; responseCode: number } {
  return { response, responseCode: code }
}
