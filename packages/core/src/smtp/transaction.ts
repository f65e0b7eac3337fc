import type { Failure, SendPhase, SmtpError, SmtpFailureFields } from '../problems/smtp-failure.js'
import { outcomeOfReply, smtpError } from '../problems/smtp-failure.js'
import type { Capabilities } from './capabilities.js'
import type { ChannelEnd, ReplyHandler } from './channel.js'
import { toMailCommand, toRcptCommand } from './envelope.js'
import type { Reply } from './reply-reader.js'
import type { Shipment } from './shipment.js'

/** What a transaction asks of its session. */
export interface TransactionHost {
  readonly capabilities: Capabilities
  readonly port: number | undefined
  /** Whether the session has served a mail before: only then may a lost connection be one that had long been gone. */
  readonly hasServed: boolean
  /** Writes a command of a transaction that goes one command at a time. */
  writeStep(transaction: Transaction, command: string): void
  /** The server has taken sender and a recipient, and waits for the body. */
  onGoAhead(transaction: Transaction): void
  /** The server refused with a reply of the right form: after a reset the session can be used again. */
  onRefused(transaction: Transaction, failure: Failure): void
  /** What came cannot be trusted: the connection must end. */
  onBroken(transaction: Transaction, failure: Failure): void
  /** The server closes the connection; the end of the channel follows. */
  onGoodbye(transaction: Transaction, failure: Failure): void
  /** The RSET that leads the group was answered. */
  onGroupBegun(): void
  /** The server took the mail. */
  onAccepted(transaction: Transaction, reply: Reply): void
  /** The server cannot take two mails in one write. */
  onGroupRefused(transaction: Transaction, why: string): void
}

/** Which reply is awaited next. */
type Step = 'reset' | 'mail' | 'rcpt' | 'data' | 'body'

/**
 * One mail on a session: it reads the replies to its commands in order. A body follows only after its own MAIL was
 * answered with 2xx, at least one RCPT with 2xx, and DATA with 354: servers answer 354 without the other two as well,
 * and a dot would then deliver an empty mail, or this one under the envelope of another.
 */
export class Transaction implements ReplyHandler {
  readonly shipment: Shipment
  /** Whether its envelope went out in one write with the end of the mail before. */
  readonly grouped: boolean
  /** Given up by its owner while it waited for the mail before it: no body may follow. */
  cancelled = false
  readonly accepted: string[] = []
  readonly rejectedErrors: SmtpError[] = []
  readonly startedAt: number = performance.now()
  goAheadAt = 0
  /** Bytes of the body so far. */
  size = 0
  #phase: 'envelope' | 'body' | 'final' = 'envelope'
  readonly #host: TransactionHost
  readonly #pipelined: boolean
  #step: Step
  #mail: Reply | undefined
  #recipient = 0

  constructor(
    shipment: Shipment,
    host: TransactionHost,
    how: { readonly grouped: boolean; readonly pipelined: boolean },
  ) {
    this.shipment = shipment
    this.#host = host
    this.grouped = how.grouped
    this.#pipelined = how.pipelined
    this.#step = how.grouped ? 'reset' : 'mail'
    shipment.onPhase('envelope')
  }

  get phase(): SendPhase {
    return this.#phase
  }

  set phase(phase: 'body' | 'final') {
    this.#phase = phase
    if (phase === 'final') this.#step = 'body'
    this.shipment.onPhase(phase)
  }

  /** Whether it waits for the reply to the RSET that leads its group. */
  get awaitsReset(): boolean {
    return this.#step === 'reset'
  }

  /** How many replies its envelope brings. */
  get replies(): number {
    return this.shipment.envelope.to.length + (this.grouped ? 3 : 2)
  }

  /** All commands of the envelope, for one write. */
  get commands(): string {
    const { envelope, content } = this.shipment
    const { capabilities } = this.#host
    let text = this.grouped ? 'RSET\r\n' : ''
    text += toMailCommand(envelope, capabilities, content.kind === 'whole' ? content : {})
    for (const address of envelope.to) text += toRcptCommand(address, envelope, capabilities)
    return `${text}DATA\r\n`
  }

  /** The first command, where they go one at a time. */
  get firstCommand(): string {
    const { envelope, content } = this.shipment
    return toMailCommand(envelope, this.#host.capabilities, content.kind === 'whole' ? content : {})
  }

  onReply(reply: Reply): void {
    if (reply.code === 421) this.#onGoodbye(reply)
    else if (this.#step === 'reset') this.#onReset(reply)
    else if (this.#step === 'mail') this.#onMail(reply)
    else if (this.#step === 'rcpt') this.#onRcpt(reply)
    else if (this.#step === 'data') this.#onData(reply)
    else this.#onBody(reply)
  }

  /** What the end of the connection means for this mail. */
  toFailure(end: ChannelEnd, limitMs: number): Failure {
    switch (end.kind) {
      case 'late':
        return this.#lost(`${this.#waitedFor()} took more than ${limitMs / 1000} s`, {
          code: 'ETIMEDOUT',
          explanation:
            this.#phase === 'final'
              ? 'final-timeout'
              : this.#phase === 'envelope'
                ? 'envelope-timeout'
                : undefined,
        })
      case 'protocol':
        return this.#lost(`The server broke the protocol: ${end.what}`, { code: 'EPROTOCOL' })
      case 'goodbye':
        return this.#lost(`The server closed the connection: ${end.reply.response}`, { code: 'ECONNECTION' })
      case 'lost': {
        const why = end.cause ? `: ${end.cause.message}` : ''
        return this.#lost(`The connection was lost${why}`, { code: 'ECONNECTION', cause: end.cause }, true)
      }
    }
  }

  /** A failure of our own side: nothing of the end of the body is out. */
  stopped(message: string, fields: Partial<SmtpFailureFields> & { readonly code: string }): Failure {
    return { error: this.#error(message, { outcome: 'not-sent', ...fields }), retry: 'never' }
  }

  /** A reply that comes before the body is out decides, if it refuses. */
  onEarlyReply(reply: Reply): void {
    if (reply.code === 421) this.#onGoodbye(reply)
    else if (outcomeOfReply(reply.code))
      this.#host.onBroken(
        this,
        this.#refusal(`The server refused the mail before its end: ${reply.response}`, reply, 'EMESSAGE'),
      )
    else this.#onProtocol(`the reply ${reply.code} before the end of the body`)
  }

  #onReset(reply: Reply): void {
    if (reply.code === 250) {
      this.#step = 'mail'
      this.#host.onGroupBegun()
    } else this.#host.onGroupRefused(this, `RSET was answered with ${reply.code}`)
  }

  #onMail(reply: Reply): void {
    if (!isYes(reply) && !outcomeOfReply(reply.code)) {
      this.#onProtocol(`the reply ${reply.code} to MAIL`)
    } else if (this.#refusesGroup(reply)) {
      this.#host.onGroupRefused(this, `MAIL was answered with ${reply.code}`)
    } else {
      this.#mail = reply
      this.#step = 'rcpt'
      if (!this.#pipelined) {
        if (isYes(reply)) this.#writeRcpt()
        else this.#refuse()
      }
    }
  }

  #onRcpt(reply: Reply): void {
    const { to } = this.shipment.envelope
    const address = to[this.#recipient]!
    const outcome = outcomeOfReply(reply.code)
    if (isYes(reply)) this.accepted.push(address)
    else if (outcome) {
      const error = this.#error(`The recipient ${address} was refused: ${reply.response}`, {
        code: 'EENVELOPE',
        command: 'RCPT TO',
        outcome,
        ...toFields(reply),
      })
      this.rejectedErrors.push(Object.assign(error, { recipient: address }))
    } else {
      this.#onProtocol(`the reply ${reply.code} to RCPT`)
      return
    }
    this.#recipient++
    if (this.#recipient < to.length) {
      if (!this.#pipelined) this.#writeRcpt()
      return
    }
    this.#step = 'data'
    if (this.#pipelined) return
    if (this.accepted.length > 0) this.#host.writeStep(this, 'DATA\r\n')
    else this.#refuse()
  }

  #onData(reply: Reply): void {
    const ready = this.#mail && isYes(this.#mail) && this.accepted.length > 0
    if (this.#refusesGroup(reply) && ready)
      this.#host.onGroupRefused(this, `DATA was answered with ${reply.code}`)
    else if (reply.code === 354) {
      if (!ready) this.#host.onBroken(this, this.#envelopeFailure())
      else {
        this.goAheadAt = performance.now()
        this.#host.onGoAhead(this)
      }
    } else if (!outcomeOfReply(reply.code)) this.#onProtocol(`the reply ${reply.code} to DATA`)
    else if (ready)
      this.#host.onRefused(
        this,
        this.#refusal(`The server refused DATA: ${reply.response}`, reply, 'EMESSAGE', 'DATA'),
      )
    else this.#refuse()
  }

  #onBody(reply: Reply): void {
    if (reply.code === 250) this.#host.onAccepted(this, reply)
    else if (outcomeOfReply(reply.code))
      this.#host.onRefused(
        this,
        this.#refusal(`The server refused the mail: ${reply.response}`, reply, 'EMESSAGE', 'DATA'),
      )
    else this.#onProtocol(`the reply ${reply.code} to the body`)
  }

  /** 421 is the last that a server says; on a session that had gone stale it says nothing of this mail. */
  #onGoodbye(reply: Reply): void {
    const stale = this.grouped ? this.#phase === 'envelope' : this.#host.hasServed && this.#step === 'mail'
    const failure = this.#refusal(`The server closed the connection: ${reply.response}`, reply, 'ECONNECTION')
    this.#host.onGoodbye(this, stale ? { ...failure, retry: 'uncounted' } : failure)
  }

  #onProtocol(what: string): void {
    this.#host.onBroken(this, this.#lost(`The server broke the protocol: ${what}`, { code: 'EPROTOCOL' }))
  }

  /** Codes with which servers that announce PIPELINING answer a group that they cannot take. */
  #refusesGroup({ code }: Reply): boolean {
    return this.grouped && code >= 500 && code <= 503
  }

  #refuse(): void {
    this.#host.onRefused(this, this.#envelopeFailure())
  }

  #writeRcpt(): void {
    const { envelope } = this.shipment
    this.#host.writeStep(
      this,
      toRcptCommand(envelope.to[this.#recipient]!, envelope, this.#host.capabilities),
    )
  }

  /** Sender refused, or every recipient: deferred only where each may be tried again. */
  #envelopeFailure(): Failure {
    if (this.#mail && !isYes(this.#mail))
      return this.#refusal(
        `The sender was refused: ${this.#mail.response}`,
        this.#mail,
        'EENVELOPE',
        'MAIL FROM',
      )
    const { to } = this.shipment.envelope
    const errors = this.rejectedErrors
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

  #refusal(message: string, reply: Reply, code: string, command?: string): Failure {
    const outcome = outcomeOfReply(reply.code) ?? 'not-sent'
    const error = this.#error(message, { code, command, outcome, ...toFields(reply) })
    return { error, retry: outcome === 'deferred' ? 'counted' : 'never' }
  }

  /** Nothing, or nothing of use, was said: from the write of the end of the body on, the mail may have arrived. */
  #lost(
    message: string,
    fields: Partial<SmtpFailureFields> & { readonly code: string },
    gone = false,
  ): Failure {
    if (this.#phase === 'final')
      return { error: this.#error(message, { ...fields, outcome: 'unknown' }), retry: 'never' }
    const error = this.#error(message, { ...fields, outcome: 'not-sent' })
    // A session that is gone before DATA was answered may have been so before the mail came to it.
    const stale = this.#phase === 'envelope' && (this.grouped || (gone && this.#host.hasServed))
    return { error, retry: stale ? 'uncounted' : 'counted' }
  }

  #error(
    message: string,
    fields: Partial<SmtpFailureFields> & Pick<SmtpFailureFields, 'code' | 'outcome'>,
  ): SmtpError {
    return smtpError(message, {
      command: this.#command(),
      phase: this.#phase,
      port: this.#host.port,
      ...fields,
    })
  }

  #command(): string {
    if (this.#phase !== 'envelope') return 'DATA'
    return { reset: 'RSET', mail: 'MAIL FROM', rcpt: 'RCPT TO', data: 'DATA', body: 'DATA' }[this.#step]
  }

  #waitedFor(): string {
    if (this.#phase === 'final') return 'The reply to the mail'
    return this.#phase === 'body' ? 'A part of the body' : `The reply to ${this.#command()}`
  }
}

function isYes({ code }: Reply): boolean {
  return code >= 200 && code < 300
}

function toFields({ response, code }: Reply): { response: string; responseCode: number } {
  return { response, responseCode: code }
}
