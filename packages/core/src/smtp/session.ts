import type { Socket } from 'node:net'
import type { Failure } from '../problems/smtp-failure.js'
import { END_OF_BODY } from './body-encoder.js'
import type { Capabilities } from './capabilities.js'
import type { Channel, ChannelEnd } from './channel.js'
import type { Grouping, GroupingSession, Pipelining } from './grouping.js'
import type { Opened } from './open-session.js'
import type { Reply } from './reply-reader.js'
import { sendBody } from './send-body.js'
import type { Shipment } from './shipment.js'
import type { TimeLimits } from './time-limits.js'
import { GROUP_RESET_MS } from './time-limits.js'
import type { TransactionHost } from './transaction.js'
import { Transaction } from './transaction.js'

/** Where a session that is logged in is; before that it is an OpeningSession, with states of its own. */
export type SessionState =
  /** Nothing is under way: the session listens, so that it notices when the server leaves. */
  | { readonly name: 'ready' }
  /** A mail is under way; where the next one shares its last write, that one's envelope is out too. */
  | { readonly name: 'transaction'; readonly current: Transaction; readonly next: Transaction | undefined }
  /** QUIT is said; the server has a moment to answer. */
  | { readonly name: 'closing' }
  | { readonly name: 'closed' }

/** Whoever feeds a session. */
export interface SessionOwner {
  /** The session can take a mail. */
  onReady(session: Session): void
  /** The session is gone; called once. */
  onClosed(session: Session): void
  /** A mail that is composed in full, to be sent in one write with the end of the one before; it is the session's from then on. */
  takeNext(session: Session): Shipment | undefined
}

/** What a session needs besides its channel. */
export interface SessionSettings {
  readonly limits: TimeLimits
  readonly pipelining: Pipelining
  readonly grouping: Grouping
  /** For how long the session may idle from now on, in milliseconds. */
  idleMs(session: Session): number
}

/** One SMTP session after its login: it carries one mail after the other, and answers for each exactly once. */
export class Session implements TransactionHost, GroupingSession {
  readonly capabilities: Capabilities
  readonly port: number | undefined
  readonly server: string
  hasServed = false
  /** When it was logged in, on the clock of `performance.now`. */
  readonly openedAt: number = performance.now()
  #state: SessionState = { name: 'ready' }
  readonly #channel: Channel
  readonly #owner: SessionOwner
  readonly #settings: SessionSettings
  #resetting = false

  constructor({ channel, capabilities, port }: Opened, owner: SessionOwner, settings: SessionSettings) {
    this.#channel = channel
    this.capabilities = capabilities
    this.port = port
    const { remoteAddress, remotePort } = channel.socket as Partial<Socket>
    this.server = `${remoteAddress}:${remotePort ?? port}`
    this.#owner = owner
    this.#settings = settings
    channel.owner = {
      onEnd: (end) => this.#onEnd(end),
      onUnasked: (reply) => this.#onUnasked(reply),
      onLimit: () => this.#onLimit(),
    }
    // Mails that are not through keep the process alive, not connections.
    channel.hold(false)
    this.#rest()
  }

  get state(): SessionState {
    return this.#state
  }

  /** Sends a mail; only when ready. */
  send(shipment: Shipment): void {
    const pipelined = this.#pipelines
    const transaction = new Transaction(shipment, this, { grouped: false, pipelined })
    this.#state = { name: 'transaction', current: transaction, next: undefined }
    this.#channel.limit(this.#settings.limits.replyMs)
    if (pipelined) {
      for (let count = transaction.replies; count > 0; count--) this.#channel.expect(transaction)
      this.#write(transaction.commands)
    } else this.writeStep(transaction, transaction.firstCommand)
  }

  /**
   * Gives up a mail: its owner settles it with the outcome that is returned, and `settle` is not called.
   * @returns `unknown` where the end of its body is out: the session reads on, for the mails after it
   */
  cancel(shipment: Shipment): 'not-sent' | 'unknown' {
    const state = this.#state
    if (state.name !== 'transaction') return 'not-sent'
    // After DATA nothing may be written until its reply: the mail before is answered first, then comes the end.
    if (state.next?.shipment === shipment) {
      state.next.cancelled = true
      return 'not-sent'
    }
    const { current } = state
    if (current.shipment !== shipment || current.cancelled) return 'not-sent'
    current.cancelled = true
    if (current.phase === 'final') return 'unknown'
    this.#break()
    return 'not-sent'
  }

  /** Ends a session that is ready with QUIT, unless `force` is set; any other is broken off. */
  close(force = false): void {
    if (this.#state.name === 'ready' && !force) {
      this.#state = { name: 'closing' }
      this.#channel.quit()
    } else if (force || this.#state.name === 'transaction') this.#break()
  }

  /** Keeps the process alive until the end. */
  hold(): void {
    this.#channel.hold(true)
  }

  writeStep(transaction: Transaction, command: string): void {
    this.#channel.expect(transaction)
    this.#write(command)
  }

  onGoAhead(transaction: Transaction): void {
    if (transaction.grouped) this.#settings.grouping.answered(this)
    if (transaction.cancelled) {
      this.#break()
      return
    }
    transaction.phase = 'body'
    // What came with the go-ahead was said before the body, and decides once it is complete: see onUnasked.
    if (this.#channel.hasRest) return
    sendBody(transaction, this.#channel, this.#settings.limits.finalMs, {
      onRest: (rest) => this.#finish(transaction, rest),
      onError: (error) => {
        const failure = transaction.stopped(error.message, { code: codeOf(error), cause: error })
        this.onBroken(transaction, failure)
      },
    })
  }

  onAccepted(transaction: Transaction, reply: Reply): void {
    this.hasServed = true
    const { accepted, rejectedErrors, startedAt, goAheadAt, size: messageSize } = transaction
    const rejected = rejectedErrors.map((error) => (error as { recipient?: string }).recipient ?? '')
    this.#conclude(transaction, () =>
      transaction.shipment.settle({
        sent: {
          accepted,
          rejected,
          rejectedErrors,
          response: reply.response,
          envelopeTime: Math.round(goAheadAt - startedAt),
          messageTime: Math.round(performance.now() - goAheadAt),
          messageSize,
        },
      }),
    )
  }

  onRefused(transaction: Transaction, failure: Failure): void {
    this.hasServed = true
    if (transaction.grouped && transaction.phase === 'envelope') this.#settings.grouping.answered(this)
    const { next } = this.#state as { next?: Transaction }
    // The group leads with a RSET of its own. Without one, Postfix takes a body under the sender of a refused mail.
    if (!next && !this.#channel.hasRest) this.#reset()
    this.#conclude(transaction, () => transaction.shipment.settle(failure))
  }

  onBroken(transaction: Transaction, failure: Failure): void {
    const { next } = this.#state as { next?: Transaction }
    if (transaction.grouped || next) this.#settings.grouping.brokeOff(this)
    this.#settle(transaction, failure)
    this.#break()
  }

  onGoodbye(transaction: Transaction, failure: Failure): void {
    this.#settle(transaction, failure)
  }

  onGroupBegun(): void {
    this.#channel.limit(this.#settings.limits.replyMs)
  }

  onGroupRefused(transaction: Transaction, why: string): void {
    this.#settings.grouping.refused(this, why)
    const error = transaction.stopped(`The server cannot take two mails in one write: ${why}`, {
      code: 'EPROTOCOL',
    }).error
    this.#settle(transaction, { error, retry: 'uncounted' })
    this.#break()
  }

  get #pipelines(): boolean {
    return this.#settings.pipelining !== false && this.capabilities.keywords.has('PIPELINING')
  }

  /** Writes the end of a body, and with it the envelope of the mail that waits. */
  #finish(transaction: Transaction, rest: Buffer | undefined): void {
    if (this.#state.name !== 'transaction' || this.#state.current !== transaction) return
    if (!transaction.shipment.mayFinish()) {
      const message = 'The claim on the idempotency key may be over'
      const fields = { code: 'EFENCE', explanation: 'claim-over' }
      this.onBroken(transaction, transaction.stopped(message, fields))
      return
    }
    const grouped = this.#takeNext()
    // From here on nobody can say that the mail was not sent, whatever becomes of the write.
    transaction.phase = 'final'
    this.#channel.expect(transaction)
    let tail = END_OF_BODY
    if (grouped) {
      this.#state = { name: 'transaction', current: transaction, next: grouped }
      for (let count = grouped.replies; count > 0; count--) this.#channel.expect(grouped)
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
    if (pipelining !== 'auto' || !this.#pipelines || !grouping.may(this)) return undefined
    const shipment = this.#owner.takeNext(this)
    if (!shipment) {
      grouping.leave(this)
      return undefined
    }
    return new Transaction(shipment, this, { grouped: true, pipelined: true })
  }

  /** Goes on to the next mail, if its envelope is out, and then tells of the one that ended. */
  #conclude(transaction: Transaction, settle: () => void): void {
    // A write before this, such as RSET, may have led to an abort, and so to the end of the session.
    if (this.#state.name === 'closed') {
      if (!transaction.cancelled) settle()
      return
    }
    const { next } = this.#state as { next?: Transaction }
    if (next) {
      this.#state = { name: 'transaction', current: next, next: undefined }
      this.#channel.limit(GROUP_RESET_MS)
    } else this.#state = { name: 'ready' }
    if (!transaction.cancelled) settle()
    // The replies come in order: where commands may be written ahead, the one to RSET need not be awaited.
    if (!next && this.#state.name === 'ready' && (!this.#resetting || this.#pipelines)) this.#ready()
  }

  #ready(): void {
    // More was said than was asked for: no further mail is handed to whoever does that.
    if (this.#channel.hasRest) {
      this.close()
      return
    }
    this.#rest()
    this.#owner.onReady(this)
  }

  /** Idles: the session listens, and ends when that has lasted long enough. */
  #rest(): void {
    this.#channel.limit(this.#settings.idleMs(this))
  }

  /** A session that has idled long enough takes its leave; any other limit breaks it off. */
  #onLimit(): boolean {
    if (this.#state.name !== 'ready') return false
    this.close()
    return true
  }

  /** Forgets what the server may have kept of a refused mail. */
  #reset(): void {
    this.#resetting = true
    this.#channel.limit(this.#settings.limits.replyMs)
    this.#channel.expect({
      onReply: ({ code }) => {
        this.#resetting = false
        if (code !== 250) this.#break()
        else if (this.#state.name === 'ready' && !this.#pipelines) this.#ready()
      },
    })
    this.#write('RSET\r\n')
  }

  /** A reply that no command waits for: before the end of a body it is about that mail. */
  #onUnasked(reply: Reply): void {
    if (this.#state.name === 'transaction' && this.#state.current.phase === 'body')
      this.#state.current.onEarlyReply(reply)
  }

  #onEnd(end: ChannelEnd): void {
    const state = this.#state
    this.#state = { name: 'closed' }
    if (state.name === 'transaction') {
      const { current, next } = state
      const { limits, grouping } = this.#settings
      if (current.awaitsReset && end.kind === 'late') {
        grouping.refused(this, `no reply to RSET within ${GROUP_RESET_MS / 1000} s`)
      } else if (current.grouped || next) grouping.brokeOff(this)
      const limitMs = current.phase === 'envelope' ? limits.replyMs : limits.finalMs
      this.#settle(current, current.toFailure(end, limitMs))
      if (next)
        this.#settle(
          next,
          next.toFailure(end.kind === 'late' ? { kind: 'lost', cause: undefined } : end, limitMs),
        )
    }
    this.#closed()
  }

  /** Breaks the connection off. Whatever was under way and is not settled was not sent, or is unknown. */
  #break(): void {
    if (this.#state.name === 'closed') return
    const state = this.#state
    this.#state = { name: 'closed' }
    this.#channel.destroy()
    if (state.name === 'transaction') {
      const { current, next } = state
      const end: ChannelEnd = { kind: 'lost', cause: undefined }
      this.#settle(current, current.toFailure(end, 0))
      if (next) this.#settle(next, next.toFailure(end, 0))
    }
    this.#closed()
  }

  #settle(transaction: Transaction, failure: Failure): void {
    if (transaction.cancelled) return
    // Whoever is settled is given up, so that nothing that comes later can settle it again.
    transaction.cancelled = true
    transaction.shipment.settle(failure)
  }

  #closed(): void {
    this.#settings.grouping.leave(this)
    this.#owner.onClosed(this)
  }

  #write(commands: string): void {
    this.#channel.log.client(commands.trimEnd())
    this.#channel.write(commands)
  }
}

function codeOf(error: Error): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : 'ESTREAM'
}
