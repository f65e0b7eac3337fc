import type { Failure } from '../problems/smtp-failure.js'
import { END_OF_BODY } from './body-encoder.js'
import type { Capabilities } from './capabilities.js'
import type { Channel } from './channel.js'
import type { ChannelEnd } from './channel-owner.js'
import { type GroupingSession, serverOf } from './grouping.js'
import type { Opened } from './open-session.js'
import type { PipelineHost } from './pipeline-host.js'
import type { Reply } from './reply-reader.js'
import { sendBody } from './send-body.js'
import { toSentMail } from './sent-mail.js'
import type { SessionSettings } from './session-settings.js'
import type { Shipment, TransactionResult } from './shipment.js'
import { GROUP_RESET_MS } from './time-limits.js'
import { Transaction } from './transaction.js'
import type { TransactionHost } from './transaction-host.js'

/**
 * The mails that are under way on a session: one whose reply comes next, and where the next mail shares its last write,
 * that one's envelope.
 */
export class Pipeline implements TransactionHost, GroupingSession {
  readonly capabilities: Capabilities
  readonly port: number | undefined
  readonly server: string
  hasServed = false
  readonly #channel: Channel
  readonly #host: PipelineHost
  readonly #settings: SessionSettings
  #current: Transaction | undefined
  #next: Transaction | undefined

  constructor({ channel, capabilities, port }: Opened, host: PipelineHost, settings: SessionSettings) {
    this.#channel = channel
    this.capabilities = capabilities
    this.port = port
    this.server = serverOf(channel, port)
    this.#host = host
    this.#settings = settings
  }

  get isEmpty(): boolean {
    return this.#current === undefined
  }

  /** Whether commands may be written before the ones before them are answered. */
  get writesAhead(): boolean {
    return this.#settings.pipelining !== false && this.capabilities.keywords.has('PIPELINING')
  }

  /** Sends a mail; only when empty. */
  begin(shipment: Shipment): void {
    const transaction = new Transaction(shipment, this, this.writesAhead ? 'pipelined' : 'stepwise')
    this.#current = transaction
    this.#channel.limit(this.#settings.limits.replyMs)
    this.#channel.ask(transaction.commands, transaction, transaction.replies)
  }

  /** Gives up a mail: `settle` is not called. @returns `unknown` where the end of its body is out */
  cancel(shipment: Shipment): 'not-sent' | 'unknown' {
    // After DATA nothing may be written until its reply: the mail before is answered first, then comes the end.
    if (this.#next?.shipment === shipment) {
      this.#next.cancelled = true
      return 'not-sent'
    }
    const current = this.#current
    if (current?.shipment !== shipment || current.cancelled) return 'not-sent'
    current.cancelled = true
    if (current.phase === 'final') return 'unknown'
    this.#host.breakOff()
    return 'not-sent'
  }

  /** The connection has ended: whatever was under way and is not settled was not sent, or is unknown. */
  fail(end: ChannelEnd): void {
    const { limits, grouping } = this.#settings
    const current = this.#current
    if (current?.step === 'reset' && end.kind === 'late')
      grouping.refused(this, `no reply to RSET within ${GROUP_RESET_MS / 1000} s`)
    else if (current?.grouped || this.#next) grouping.brokeOff(this)
    const limitMs = current?.phase === 'envelope' ? limits.replyMs : limits.finalMs
    this.#settleAll(end, limitMs)
  }

  /** The connection was broken off. */
  drop(): void {
    this.#settleAll(LOST, 0)
  }

  /** A reply that no command waits for: before the end of a body it is about that mail. */
  onUnasked(reply: Reply): void {
    if (this.#current?.phase === 'body') this.#current.onEarlyReply(reply)
  }

  writeStep(transaction: Transaction, command: string): void {
    this.#channel.ask(command, transaction)
  }

  onGoAhead(transaction: Transaction): void {
    if (transaction.grouped) this.#settings.grouping.answered(this)
    if (transaction.cancelled) {
      this.#host.breakOff()
      return
    }
    transaction.phase = 'body'
    // What came with the go-ahead was said before the body, and decides once it is complete: see onUnasked.
    if (this.#channel.hasRest) return
    sendBody(transaction, this.#channel, this.#settings.limits.finalMs, {
      onRest: (rest) => this.#finish(transaction, rest),
      onError: (error) => this.onBroken(transaction, transaction.errors.unreadable(error)),
    })
  }

  onAccepted(transaction: Transaction, reply: Reply): void {
    this.hasServed = true
    this.#conclude(transaction, { sent: toSentMail(transaction, reply) })
  }

  onRefused(transaction: Transaction, failure: Failure): void {
    this.hasServed = true
    if (transaction.grouped && transaction.phase === 'envelope') this.#settings.grouping.answered(this)
    // A group leads with a RSET of its own.
    if (!this.#next && !this.#channel.hasRest) this.#host.onRefused()
    this.#conclude(transaction, failure)
  }

  onBroken(transaction: Transaction, failure: Failure): void {
    if (transaction.grouped || this.#next) this.#settings.grouping.brokeOff(this)
    transaction.settle(failure)
    this.#host.breakOff()
  }

  onGoodbye(transaction: Transaction, failure: Failure): void {
    transaction.settle(failure)
  }

  onGroupBegun(): void {
    this.#channel.limit(this.#settings.limits.replyMs)
  }

  onGroupRefused(transaction: Transaction, why: string): void {
    this.#settings.grouping.refused(this, why)
    transaction.settle(transaction.errors.groupRefused(why))
    this.#host.breakOff()
  }

  /** Writes the end of a body, and with it the envelope of the mail that waits. */
  #finish(transaction: Transaction, rest: Buffer | undefined): void {
    if (this.#current !== transaction) return
    if (!transaction.shipment.mayFinish()) {
      this.onBroken(transaction, transaction.errors.fenced())
      return
    }
    const grouped = this.#takeNext()
    // From here on nobody can say that the mail was not sent, whatever becomes of the write.
    transaction.phase = 'final'
    this.#channel.expect(transaction)
    let tail = END_OF_BODY
    if (grouped) {
      this.#next = grouped
      this.#channel.expect(grouped, grouped.replies)
      tail += grouped.commands
    }
    this.#channel.limit(this.#settings.limits.finalMs)
    this.#channel.log.client(
      `(end of the mail, ${transaction.size} bytes)${grouped ? ' and the next envelope' : ''}`,
    )
    this.#channel.write(rest ? Buffer.concat([rest, Buffer.from(tail)]) : tail)
  }

  #takeNext(): Transaction | undefined {
    const { pipelining, grouping } = this.#settings
    if (pipelining !== 'auto' || !this.writesAhead || !grouping.may(this)) return undefined
    const shipment = this.#host.takeNext()
    if (!shipment) {
      grouping.leave(this)
      return undefined
    }
    return new Transaction(shipment, this, 'grouped')
  }

  /** Goes on to the next mail, if its envelope is out, and then settles the one that was answered. */
  #conclude(transaction: Transaction, result: TransactionResult): void {
    // A write before this, such as RSET, may have led to an abort, and so to the end of the session.
    const isOver = this.#current !== transaction
    if (!isOver) {
      this.#current = this.#next
      this.#next = undefined
      if (this.#current) this.#channel.limit(GROUP_RESET_MS)
    }
    transaction.settle(result)
    if (!isOver && !this.#current) this.#host.onEmpty()
  }

  #settleAll(end: ChannelEnd, limitMs: number): void {
    const current = this.#current
    const next = this.#next
    this.#current = undefined
    this.#next = undefined
    if (current) current.settle(current.errors.ended(end, limitMs))
    // What was late was the reply to the mail before it.
    if (next) next.settle(next.errors.ended(end.kind === 'late' ? LOST : end, limitMs))
    this.#settings.grouping.leave(this)
  }
}

const LOST: ChannelEnd = { kind: 'lost', cause: undefined }
