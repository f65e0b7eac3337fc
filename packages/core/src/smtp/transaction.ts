import type { Failure, SmtpError } from '../problems/smtp-failure.js'
import { outcomeOfReply } from '../problems/smtp-failure.js'
import type { ReplyHandler } from './channel-owner.js'
import { toEnvelopeCommands, toFirstCommand, toRcptCommand } from './envelope-commands.js'
import type { Reply } from './reply-reader.js'
import type { Shipment, TransactionResult } from './shipment.js'
import type { Step, TransactionPhase } from './transaction-errors.js'
import { TransactionErrors } from './transaction-errors.js'
import type { TransactionHost } from './transaction-host.js'

/**
 * How an email is sent. With DATA: `grouped`, its envelope in one write with the end of the previous email; `pipelined`,
 * its commands in one write; `stepwise`, each command after the reply to the previous one. With BDAT (RFC 3030):
 * `probing`, the body after the reply to the header block, which is a chunk of its own; `chunked`, all of it in one
 * write.
 */
export type How = 'grouped' | 'pipelined' | 'stepwise' | 'probing' | 'chunked'

/**
 * One email on a session. It reads the replies to its commands in order. A body is only sent after its own email was
 * answered with 2xx, at least one RCPT with 2xx, and DATA with 354: servers also send 354 without the other two, and a
 * dot would then deliver an empty email, or this one under the envelope of another. A `chunked` mail needs no go-ahead:
 * it is in its phase `final` from its only write on, whatever the replies to its envelope are.
 */
export class Transaction implements ReplyHandler {
  readonly shipment: Shipment
  readonly how: How
  /** Whether its envelope was sent in one write with the end of the previous email. */
  readonly grouped: boolean
  /** Whether all of it was sent in one write. */
  readonly chunked: boolean
  /** Given up by its owner, or settled. No body may follow. */
  cancelled = false
  readonly accepted: string[] = []
  readonly rejectedErrors: SmtpError[] = []
  readonly startedAt: number = performance.now()
  goAheadAt = 0
  /** Bytes of the body so far; with BDAT, of the whole email. */
  size = 0
  /** For a chunked mail whose envelope was answered with 421: what that means if no further reply arrives. */
  farewell: Failure | undefined
  /** Replies with 4xx and 5xx. */
  errorReplies = 0
  /** What is still to be written of an email sent over BDAT. */
  rest: Buffer | undefined
  #phase: TransactionPhase = 'envelope'
  readonly #host: TransactionHost
  readonly #pipelined: boolean
  #step: Step
  #mail: Reply | undefined
  #recipient = 0
  /** For a chunked mail: why the replies to its envelope may come from a state other than that after a RSET. */
  #doubt: { readonly why: string; readonly isBlamed: boolean } | undefined
  readonly #last: 'DATA' | `BDAT ${string}`

  /** @param last the command that starts the body */
  constructor(shipment: Shipment, host: TransactionHost, how: How, last: 'DATA' | `BDAT ${string}` = 'DATA') {
    this.shipment = shipment
    this.#host = host
    this.how = how
    this.grouped = how === 'grouped'
    this.chunked = how === 'chunked'
    this.#last = last
    this.#pipelined = how !== 'stepwise'
    this.#step = this.#hasReset ? 'reset' : 'mail'
    shipment.onPhase('envelope')
  }

  get phase(): TransactionPhase {
    return this.#phase
  }

  set phase(phase: 'body' | 'final') {
    this.#phase = phase
    if (phase === 'final' && !this.chunked) this.#step = 'body'
    this.shipment.onPhase(phase)
  }

  get step(): Step {
    return this.#step
  }

  /** The commands of the envelope, for one write. Only the first if they are sent one at a time. */
  get commands(): string {
    const { capabilities } = this.#host
    return this.#pipelined
      ? toEnvelopeCommands(this.shipment, capabilities, this.#hasReset, this.#last)
      : toFirstCommand(this.shipment, capabilities)
  }

  /** The number of replies to these commands. */
  get replies(): number {
    if (!this.#pipelined) return 1
    return this.shipment.envelope.to.length + (this.#hasReset ? 3 : 2)
  }

  /** The command that carries the body. */
  get verb(): 'DATA' | 'BDAT' {
    return this.#last === 'DATA' ? 'DATA' : 'BDAT'
  }

  /** The number of such replies received and still possible: one for each recipient, and one for the body. */
  get mostErrorReplies(): number {
    return 1 + (this.chunked ? this.shipment.envelope.to.length : this.errorReplies)
  }

  /** Why the server cannot have accepted the email, whatever it replies to the body. Undefined as long as it can. */
  get refusal(): Failure | undefined {
    const isRefused =
      (this.#mail && !isYes(this.#mail)) ||
      (this.#recipient === this.shipment.envelope.to.length && this.accepted.length === 0)
    return isRefused ? this.#envelopeFailure() : undefined
  }

  get isTried(): boolean {
    return this.grouped || this.how === 'probing'
  }

  get #hasReset(): boolean {
    return this.grouped || this.chunked
  }

  /** Reports the result to the owner, once. Nothing is reported for an email that was given up. */
  settle(result: TransactionResult): void {
    if (this.cancelled) return
    this.cancelled = true
    this.shipment.settle(result)
  }

  onReply(reply: Reply): void {
    if (outcomeOfReply(reply.code)) this.errorReplies++
    if (reply.code === 421 && this.chunked && this.#step !== 'body')
      this.farewell = this.refusal ?? this.errors.goodbye(reply)
    else if (reply.code === 421) {
      this.#onGoodbye(reply)
      return
    }
    if (this.#step === 'reset') this.#onReset(reply)
    else if (this.#step === 'mail') this.#onMail(reply)
    else if (this.#step === 'rcpt') this.#onRcpt(reply)
    else if (this.#step === 'data') this.#onData(reply)
    else this.#onBody(reply)
  }

  /** Creates errors for the current state. */
  get errors(): TransactionErrors {
    return new TransactionErrors(this, this.#host)
  }

  /** A reply that arrives before the body has been sent decides if it refuses. */
  onEarlyReply(reply: Reply): void {
    if (reply.code === 421) this.#onGoodbye(reply)
    else if (this.how === 'probing' && isOutOfOrder(reply))
      this.#host.onGroupRefused(this, `${reply.code} arrived after a chunk was accepted`, true)
    else if (outcomeOfReply(reply.code))
      this.#host.onBroken(
        this,
        this.errors.refused('The server refused the email before it was complete', reply),
      )
    else this.#onProtocol(`the reply ${reply.code} before the end of the body`)
  }

  #onReset(reply: Reply): void {
    const why = `RSET was answered with ${reply.code}`
    // Every server knows RSET, so it did not recognise something else, such as a body after a 354 that it did not mean.
    if (this.chunked && (reply.code === 500 || reply.code === 502)) {
      this.#onProtocol(`the reply ${reply.code} to RSET`)
    } else if (this.chunked) {
      if (reply.code !== 250) this.#doubt = { why, isBlamed: isOutOfOrder(reply) }
      this.#step = 'mail'
    } else if (reply.code === 250) {
      this.#step = 'mail'
      this.#host.onGroupBegun()
    } else this.#host.onGroupRefused(this, why, isOutOfOrder(reply))
  }

  #onMail(reply: Reply): void {
    if (!isYes(reply) && !outcomeOfReply(reply.code)) {
      this.#onProtocol(`the reply ${reply.code} to MAIL`)
    } else if (this.#refusesGroup(reply)) {
      this.#host.onGroupRefused(this, `MAIL was answered with ${reply.code}`, true)
    } else {
      this.#mail = reply
      this.#step = 'rcpt'
      // After RSET, MAIL cannot come out of turn.
      if (this.chunked && reply.code === 503)
        this.#doubt ??= { why: 'MAIL was answered with 503', isBlamed: true }
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
    else if (outcome) this.rejectedErrors.push(this.errors.recipientRefused(address, reply, outcome))
    else {
      this.#onProtocol(`the reply ${reply.code} to RCPT`)
      return
    }
    this.#recipient++
    if (this.#recipient < to.length) {
      if (!this.#pipelined) this.#writeRcpt()
      return
    }
    this.#step = this.chunked ? 'body' : 'data'
    if (this.chunked) this.goAheadAt = performance.now()
    if (this.#pipelined) return
    if (this.accepted.length > 0) this.#host.writeStep(this, 'DATA\r\n')
    else this.#refuse()
  }

  #onData(reply: Reply): void {
    const ready = this.#mail && isYes(this.#mail) && this.accepted.length > 0
    if (this.#refusesGroup(reply) && ready)
      this.#host.onGroupRefused(this, `${this.verb} was answered with ${reply.code}`, true)
    else if (reply.code === (this.verb === 'DATA' ? 354 : 250)) {
      if (!ready) this.#host.onBroken(this, this.#envelopeFailure())
      else {
        this.goAheadAt = performance.now()
        this.#host.onGoAhead(this)
      }
    } else if (!outcomeOfReply(reply.code)) this.#onProtocol(`the reply ${reply.code} to ${this.verb}`)
    else if (ready)
      this.#host.onRefused(
        this,
        this.errors.refused(`The server refused ${this.verb}`, reply, 'EMESSAGE', this.verb),
      )
    else this.#refuse()
  }

  #onBody(reply: Reply): void {
    const refusal = this.chunked ? this.refusal : undefined
    if (reply.code === 250 && !refusal && !this.#doubt) this.#host.onAccepted(this, reply)
    else if (!outcomeOfReply(reply.code)) this.#onProtocol(`the reply ${reply.code} to the body`)
    else if (this.#doubt) this.#host.onGroupRefused(this, this.#doubt.why, this.#doubt.isBlamed)
    else if (this.how === 'probing' && isOutOfOrder(reply))
      // It may concern the previous chunk, so the reply about the email may still arrive.
      this.#onProtocol(`the reply ${reply.code} to the last chunk`)
    else if (this.verb === 'BDAT' && !refusal && isOutOfOrder(reply))
      this.#host.onGroupRefused(this, `BDAT was answered with ${reply.code}`, true)
    else
      this.#host.onRefused(
        this,
        refusal ?? this.errors.refused('The server refused the email', reply, 'EMESSAGE', this.verb),
      )
  }

  #onGoodbye(reply: Reply): void {
    const refusal = this.chunked ? this.refusal : undefined
    this.#host.onGoodbye(this, refusal ?? this.errors.goodbye(reply))
  }

  #onProtocol(what: string): void {
    this.#host.onBroken(this, this.errors.protocol(what))
  }

  /** Codes with which servers that announce PIPELINING reply to a group that they cannot handle. */
  #refusesGroup({ code }: Reply): boolean {
    // Instead of the reply to MAIL, it concerns the content of the previous chunk.
    if (this.how === 'probing')
      return this.#step === 'data' ? code >= 500 && code <= 504 : [500, 502, 503].includes(code)
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

  /** The sender or every recipient was refused. */
  #envelopeFailure(): Failure {
    if (this.#mail && !isYes(this.#mail))
      return this.errors.refused('The sender was refused', this.#mail, 'EENVELOPE', 'MAIL FROM')
    return this.errors.allRefused(this.shipment.envelope.to, this.rejectedErrors)
  }
}

/** Codes of a server that does not know or expect a command. None of them refuses an email. */
function isOutOfOrder({ code }: Reply): boolean {
  return code >= 500 && code <= 504
}

function isYes({ code }: Reply): boolean {
  return code >= 200 && code < 300
}
