import { type Failure, outcomeOfReply } from '../problems/smtp-failure.js'
import { END_OF_BODY } from './body-encoder.js'
import type { Capabilities } from './capabilities.js'
import { parseCapabilities } from './capabilities.js'
import type { Channel } from './channel.js'
import type { ChannelEnd } from './channel-owner.js'
import { endOfHead, toChunk } from './chunk.js'
import { ChunkTrial } from './chunk-trial.js'
import { type GroupingSession, serverOf } from './grouping.js'
import { wantsChunks, writesAhead } from './mode-in-use.js'
import type { Opened } from './open-session.js'
import type { PipelineHost } from './pipeline-host.js'
import type { Reply } from './reply-reader.js'
import { sendBody } from './send-body.js'
import { toSentMail } from './sent-mail.js'
import type { SessionSettings } from './session-settings.js'
import type { Shipment, TransactionResult } from './shipment.js'
import { GROUP_RESET_MS, PROBE_MS, SIGN_OF_LIFE_MS } from './time-limits.js'
import { Transaction } from './transaction.js'
import type { TransactionHost } from './transaction-host.js'

/**
 * The largest email that is sent as a whole. A larger one waits for 354, so that its outcome is not in doubt from the
 * first byte on.
 */
const MOST_CHUNK_BYTES = 65_536
/** The maximum number of bytes of emails without a reply. */
const MOST_BYTES_IN_FLIGHT = 262_144
/**
 * Servers hang up after too many refusals, and all emails in flight would then be in doubt: Exim after eleven envelopes
 * in the whole session (`smtp_accept_max_nonmail`), Postfix after twenty commands with no accepted mail between them
 * (`smtpd_hard_error_limit`), where each recipient and each body counts. So no more emails are in flight than could be
 * refused before that.
 */
const MOST_REFUSED = 10
const MOST_ERROR_REPLIES = 20
/** A session that may have fewer emails in flight is not worth keeping. */
const FEWEST_IN_FLIGHT = 4

/**
 * The emails in progress on a session, in the order of their replies. Without CHUNKING this is one email, plus the
 * envelope of the next if that shares its last write. With CHUNKING, whole emails follow the one whose reply comes next.
 * The first of them follows an email that the server has just answered with 354, so that no email is risked on a
 * connection that has long been gone. Each later one follows a reply that arrived at most a second ago.
 */
export class Pipeline implements TransactionHost, GroupingSession {
  readonly capabilities: Capabilities
  readonly port: number | undefined
  readonly server: string
  hasServed = false
  readonly #channel: Channel
  readonly #host: PipelineHost
  readonly #settings: SessionSettings
  #flight: Transaction[] = []
  #trial: ChunkTrial | undefined
  #writing = false
  /** Refused envelopes, as servers count them. */
  #refusals = 0
  /** Refused commands since the last accepted mail. */
  #errorReplies = 0
  /** Whether whole emails were sent here, so that a reply that is out of place may concern one of them. */
  #hasChunked = false

  constructor({ channel, capabilities, port }: Opened, host: PipelineHost, settings: SessionSettings) {
    this.#channel = channel
    this.capabilities = capabilities
    this.port = port
    this.server = serverOf(channel, port)
    this.#host = host
    this.#settings = settings
  }

  get isEmpty(): boolean {
    return this.#flight.length === 0 && !this.#trial
  }

  /** Whether so much was refused here that the next emails should use another session. */
  get isWorn(): boolean {
    const isNearEnd =
      MOST_REFUSED - this.#refusals < FEWEST_IN_FLIGHT ||
      MOST_ERROR_REPLIES - this.#errorReplies < 2 * FEWEST_IN_FLIGHT
    return isNearEnd && this.#settings.chunking.isOn(this)
  }

  /** Whether commands may be written before the previous ones are answered. */
  get writesAhead(): boolean {
    return writesAhead(this.capabilities, this.#settings)
  }

  /** Sends an email; only when empty. */
  begin(shipment: Shipment): void {
    if (this.#probe(shipment)) return
    const transaction = new Transaction(shipment, this, this.writesAhead ? 'pipelined' : 'stepwise')
    this.#flight.push(transaction)
    this.#channel.limit(this.#settings.limits.replyMs)
    this.#channel.ask(transaction.commands, transaction, transaction.replies)
  }

  /** Sends waiting emails while the server accepts consecutive emails and another email may be in doubt. */
  fill(): void {
    if (this.#writing) return
    this.#writing = true
    for (let next = this.#takeWhole(); next; next = this.#takeWhole()) {
      const bytes = this.#expectWhole(next)
      this.#channel.write(bytes, this.#fillLater)
    }
    this.#writing = false
  }

  readonly #fillLater = (): void => this.fill()

  /** Gives up an email: `settle` is not called. @returns `unknown` if the end of its body has been sent */
  cancel(shipment: Shipment): 'not-sent' | 'unknown' {
    const answered = this.#trial?.find(shipment)
    const transaction = answered ?? this.#flight.find((each) => each.shipment === shipment)
    if (!transaction || transaction.cancelled) return 'not-sent'
    transaction.cancelled = true
    if (transaction.phase === 'final') return 'unknown'
    // After DATA nothing may be written until its reply. The previous email is answered first, then comes the end.
    if (transaction === this.#flight[0]) this.#host.breakOff()
    return 'not-sent'
  }

  /** The connection has ended. Emails in progress that are not settled were not sent, or are unknown. */
  fail(end: ChannelEnd): void {
    const { limits, grouping } = this.#settings
    const [current, next] = this.#flight
    if (current?.step === 'reset' && current.grouped && end.kind === 'late')
      grouping.refused(this, `no reply to RSET within ${GROUP_RESET_MS / 1000} s`)
    else if (current?.grouped || next?.grouped) grouping.brokeOff(this)
    this.#learnFrom(end)
    const limitMs = current?.phase === 'envelope' ? limits.replyMs : limits.finalMs
    this.#settleAll(end, limitMs)
  }

  /** The connection was destroyed. */
  drop(): void {
    this.#settings.chunking.brokeOff(this)
    this.#settleAll(LOST, 0)
  }

  /**
   * The server says goodbye. Whole emails without a reply are only sent over another connection once this one has ended
   * without another reply: Exim, if its configuration replies to a recipient with 421, obeys what follows.
   */
  onServerLeaves(): boolean {
    return this.#flight.some(({ chunked, cancelled }) => chunked && !cancelled)
  }

  /** A reply that no command waits for. Before the end of a body, it concerns that email. */
  onUnasked(reply: Reply): void {
    if (this.#flight[0]?.phase === 'body') this.#flight[0].onEarlyReply(reply)
  }

  writeStep(transaction: Transaction, command: string): void {
    this.#channel.ask(command, transaction)
  }

  onGoAhead(transaction: Transaction): void {
    const { grouping, chunking, limits } = this.#settings
    if (transaction.grouped) grouping.answered(this)
    if (transaction.how === 'probing') chunking.probed(this)
    if (transaction.cancelled) {
      this.#host.breakOff()
      return
    }
    transaction.phase = 'body'
    // What came with the go-ahead was sent before the body, and decides once it is complete: see onUnasked.
    if (this.#channel.hasRest) return
    if (transaction.rest) {
      this.#finish(transaction, [transaction.rest])
      return
    }
    sendBody(transaction, this.#channel, limits.finalMs, {
      onRest: (rest) => this.#finish(transaction, rest ? [rest, END_OF_BODY] : [END_OF_BODY]),
      onError: (error) => this.onBroken(transaction, transaction.errors.unreadable(error)),
    })
  }

  onAccepted(transaction: Transaction, reply: Reply): void {
    this.hasServed = true
    this.#errorReplies = 0
    // Exim, which always lists HELP, counts over the whole session.
    if (!this.capabilities.keywords.has('HELP')) this.#refusals = 0
    this.#conclude(transaction, { sent: toSentMail(transaction, reply) })
  }

  onRefused(transaction: Transaction, failure: Failure): void {
    this.hasServed = true
    if (transaction.grouped && transaction.phase === 'envelope') this.#settings.grouping.answered(this)
    if (transaction.how === 'probing') this.#settings.chunking.leave(this)
    if (failure.error.code === 'EENVELOPE') this.#refusals++
    this.#errorReplies += transaction.errorReplies
    this.#fillAfterLast()
    // A group starts with its own RSET, and so does a whole email. EHLO resets as well.
    const { hasRest, isLeaving } = this.#channel
    if (this.#flight.length === 1 && !this.#trial && !hasRest && !isLeaving) this.#host.onRefused()
    this.#conclude(transaction, failure)
  }

  onBroken(transaction: Transaction, failure: Failure): void {
    const { grouping, chunking } = this.#settings
    if (transaction.grouped || this.#flight[1]?.grouped) grouping.brokeOff(this)
    if (failure.error.code === 'EPROTOCOL' && (this.#hasChunked || transaction.how === 'probing'))
      chunking.refused(this, failure.error.message)
    this.#trial?.doubt()
    transaction.settle(failure)
    this.#host.breakOff()
  }

  onGoodbye(transaction: Transaction, failure: Failure): void {
    if (transaction.phase === 'final') this.#conclude(transaction, failure)
    else transaction.settle(failure)
  }

  onGroupBegun(): void {
    this.#channel.limit(this.#settings.limits.replyMs)
  }

  onGroupRefused(transaction: Transaction, why: string, isBlamed: boolean): void {
    const { grouping, chunking } = this.#settings
    const learned = transaction.verb === 'BDAT' ? chunking : grouping
    if (isBlamed) learned.refused(this, why)
    else learned.brokeOff(this)
    transaction.settle(transaction.errors.groupRefused(why))
    this.#host.breakOff()
  }

  /** How many emails may be in flight now, as far as the server allows. */
  get #room(): number {
    const { chunking } = this.#settings
    const room = MOST_REFUSED - this.#refusals
    const last = this.#flight.at(-1)
    if (
      !wantsChunks(this.capabilities, this.#settings) ||
      this.#trial ||
      last?.phase !== 'final' ||
      this.#channel.isFull ||
      this.#channel.silentMs > SIGN_OF_LIFE_MS ||
      this.#channel.isLeaving
    )
      return 0
    if (this.isWorn) return 0
    if (chunking.isOn(this)) return room
    return this.#flight.length === 1 && chunking.mayTry(this) ? 2 : 0
  }

  /**
   * Starts an email whose body follows once its header block was accepted as a chunk. This shows that the server supports
   * BDAT.
   */
  #probe(shipment: Shipment): boolean {
    const { chunking, limits } = this.#settings
    const { content } = shipment
    if (
      !wantsChunks(this.capabilities, this.#settings) ||
      content.kind !== 'whole' ||
      content.size > MOST_CHUNK_BYTES
    )
      return false
    if (!chunking.mayProbe(this)) return false
    const chunk = toChunk(content)
    const end = endOfHead(chunk)
    if (end === undefined) {
      chunking.leave(this)
      return false
    }
    const transaction = new Transaction(shipment, this, 'probing', `BDAT ${end}`)
    const body = chunk.subarray(end)
    transaction.size = content.size
    transaction.rest = Buffer.concat([Buffer.from(`BDAT ${body.length} LAST\r\n`), body])
    this.#flight.push(transaction)
    this.#channel.expect({ onReply: (reply) => this.#onStrayChunk(transaction, reply) })
    this.#channel.expect(transaction, transaction.replies)
    this.#channel.limit(Math.min(limits.replyMs, PROBE_MS))
    const commands = STRAY_CHUNK + transaction.commands
    this.#channel.log.client(`${commands}(header block, ${end} bytes)`)
    this.#channel.write(Buffer.concat([Buffer.from(commands), chunk.subarray(0, end)]))
    return true
  }

  /** The server must read and refuse the chunk that belongs to no email. */
  #onStrayChunk(transaction: Transaction, reply: Reply): void {
    this.#errorReplies++
    if (reply.code === 421) transaction.onReply(reply)
    else if (!outcomeOfReply(reply.code))
      this.onGroupRefused(transaction, `BDAT without an email was answered with ${reply.code}`, true)
  }

  /** Writes the end of a body and, in the same write, what may follow it. */
  #finish(transaction: Transaction, end: readonly (string | Buffer)[]): void {
    if (this.#flight[0] !== transaction) return
    if (!transaction.shipment.mayFinish()) {
      this.onBroken(transaction, transaction.errors.fenced())
      return
    }
    // Whatever is called from here on, nothing is written before the end of this body.
    this.#writing = true
    // From here on, the email can no longer count as not sent, whatever happens to the write.
    transaction.phase = 'final'
    this.#channel.expect(transaction)
    this.#channel.limit(this.#settings.limits.finalMs)
    this.#channel.log.client(`(end of the email, ${transaction.size} bytes)`)
    const parts = end.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))
    const whole = this.#takeWhole()
    const grouped = whole ? undefined : this.#takeNext()
    if (whole) parts.push(this.#expectWhole(whole))
    if (grouped) {
      this.#flight.push(grouped)
      this.#channel.expect(grouped, grouped.replies)
      this.#channel.log.client(`(in the same write) ${grouped.commands.trimEnd()}`)
      parts.push(Buffer.from(grouped.commands))
    }
    this.#channel.write(Buffer.concat(parts), this.#fillLater)
    this.#writing = false
    this.fill()
  }

  #takeNext(): Transaction | undefined {
    const { pipelining, grouping } = this.#settings
    if (pipelining !== 'auto' || !this.writesAhead || !grouping.may(this)) return undefined
    const shipment = this.#host.takeNext(() => true)
    if (!shipment) {
      grouping.leave(this)
      return undefined
    }
    return new Transaction(shipment, this, 'grouped')
  }

  /** The next email, if it may follow those in flight as a whole. */
  #takeWhole(): Transaction | undefined {
    for (;;) {
      const room = this.#room
      const inFlight = this.#flight.length
      const bytes = this.#flight.reduce((sum, { size }) => sum + size, 0)
      const errorReplies = this.#flight.reduce((sum, each) => sum + each.mostErrorReplies, this.#errorReplies)
      const shipment =
        inFlight < room
          ? this.#host.takeNext(({ content, envelope, isOfBatch }) => {
              const { single, batch } = this.#settings.inFlight
              if (content.kind !== 'whole' || inFlight >= (isOfBatch ? batch : single)) return false
              if (errorReplies + envelope.to.length + 1 > MOST_ERROR_REPLIES) return false
              return content.size <= MOST_CHUNK_BYTES && bytes + content.size <= MOST_BYTES_IN_FLIGHT
            })
          : undefined
      if (shipment?.content.kind !== 'whole') {
        if (inFlight < room) this.#settings.chunking.leave(this)
        return undefined
      }
      const { content } = shipment
      const transaction = new Transaction(shipment, this, 'chunked', `BDAT ${content.size} LAST`)
      transaction.size = content.size
      if (shipment.mayFinish()) {
        transaction.rest = toChunk(content)
        return transaction
      }
      transaction.settle(transaction.errors.fenced())
    }
  }

  /** Creates the bytes of a whole email, with everything its replies need. The write must follow immediately. */
  #expectWhole(transaction: Transaction): Buffer {
    const { commands, size, rest } = transaction
    const isTrial = !this.#settings.chunking.isOn(this)
    // From here on, the email can no longer count as not sent.
    transaction.phase = 'final'
    this.#hasChunked = true
    this.#flight.push(transaction)
    this.#channel.expect(transaction, transaction.replies)
    this.#channel.log.client(`${commands}(the email, ${size} bytes)`)
    const parts = [Buffer.from(commands), rest!]
    transaction.rest = undefined
    if (isTrial) {
      this.#trial = new ChunkTrial()
      this.#channel.expect({ onReply: (reply) => this.#onTrialEnd(reply) })
      this.#channel.log.client(HELLO.trimEnd())
      parts.push(Buffer.from(HELLO))
    }
    return Buffer.concat(parts)
  }

  /** EHLO after the first two emails in flight at once: no other reply looks like its reply. */
  #onTrialEnd(reply: Reply): void {
    const { chunking } = this.#settings
    if (reply.code === 421) return
    if (reply.code !== 250 || !parseCapabilities(reply).keywords.has('CHUNKING')) {
      chunking.refused(this, `EHLO after two emails was answered with ${reply.code}`)
      this.#trial?.doubt()
      this.#host.breakOff()
      return
    }
    const trial = this.#trial
    this.#trial = undefined
    chunking.answered(this)
    trial?.pass()
    if (this.isEmpty) this.#host.onEmpty()
  }

  /** Sends the next email after the last one in flight, which is just being answered. */
  #fillAfterLast(): void {
    if (this.#flight.length === 1 && this.#settings.chunking.isOn(this)) this.fill()
  }

  /** Continues with the next email, if its envelope has been sent, and then settles the answered one. */
  #conclude(transaction: Transaction, result: TransactionResult): void {
    this.#fillAfterLast()
    // An earlier write, such as RSET, may have led to an abort, and so to the end of the session.
    const isOver = this.#flight[0] !== transaction
    if (!isOver) {
      this.#flight.shift()
      const [next] = this.#flight
      if (next) this.#channel.limit(next.grouped ? GROUP_RESET_MS : this.#settings.limits.finalMs)
      else if (this.#trial) this.#channel.limit(PROBE_MS)
    }
    if (this.#trial) this.#trial.hold(transaction, result)
    else transaction.settle(result)
    if (isOver) return
    if (this.isEmpty) this.#host.onEmpty()
    else this.fill()
  }

  /** What the end of the connection reveals about how the server handles whole emails. */
  #learnFrom(end: ChannelEnd): void {
    const { chunking } = this.#settings
    const [current] = this.#flight
    const isSilent = end.kind === 'late' && (current ? current.verb === 'BDAT' : this.#trial !== undefined)
    if (isSilent) chunking.refused(this, 'a reply did not arrive in time')
    else if (end.kind === 'protocol' && this.#hasChunked) chunking.refused(this, end.what)
    else chunking.brokeOff(this)
  }

  #settleAll(end: ChannelEnd, limitMs: number): void {
    const { grouping, chunking } = this.#settings
    const flight = this.#flight
    const trial = this.#trial
    this.#flight = []
    this.#trial = undefined
    // In the order of the emails.
    trial?.end(end, limitMs, flight[0]?.chunked === true && flight[0].step === 'reset')
    for (const [index, transaction] of flight.entries()) {
      // The reply that was late was that to the previous email.
      const its = index > 0 && end.kind === 'late' ? LOST : end
      // If the connection is lost, earlier replies are valid.
      const refusal = transaction.chunked && !trial && end.kind === 'lost' ? transaction.refusal : undefined
      const farewell = end.kind === 'goodbye' ? transaction.farewell : undefined
      transaction.settle(farewell ?? refusal ?? transaction.errors.ended(its, limitMs))
    }
    grouping.leave(this)
    chunking.leave(this)
  }
}

/**
 * Precedes the first email over BDAT. A server that refuses a chunk without reading it would obey the body of an email
 * whose envelope it refused. The chunk contains nothing that any server knows as a command, so it is answered with 5xx
 * instead of the reply to MAIL.
 */
const STRAY_CHUNK = 'BDAT 7 LAST\r\nCHUNK\r\n'
const LOST: ChannelEnd = { kind: 'lost', cause: undefined }
const HELLO = 'EHLO [127.0.0.1]\r\n'
