import type { Duplex } from 'node:stream'
import { toError } from '../problems/to-error.js'
import type { ChannelEnd, ChannelOwner, ReplyHandler } from './channel-owner.js'
import { endSocket } from './end-socket.js'
import type { Reply } from './reply-reader.js'
import { ReplyReader } from './reply-reader.js'
import type { SmtpLog } from './smtp-log.js'
import { TimeLimit } from './time-limit.js'
import { QUIT_MS } from './time-limits.js'

/** What a socket has beyond a Duplex. A socket from `getSocket` may lack it. */
type SocketParts = Partial<{ ref(): unknown; unref(): unknown }>

/**
 * A connection as lines: commands are sent, and each reply goes to the command that waits for it, in order. It ends at
 * the first thing that is out of order, and reads nothing after that.
 */
export class Channel {
  owner: ChannelOwner
  /** Called when the channel ends for any reason. A body that is being read for it then stops. */
  onClosed: (() => void) | undefined
  readonly log: SmtpLog
  #socket: Duplex
  #reader: ReplyReader
  #waiting: ReplyHandler[] = []
  readonly #limit = new TimeLimit(() => this.owner.onLimit?.() || this.#beLate())
  #heardAt = 0
  #limitMs = 0
  /** The last reply, if it was 421. */
  #goodbye: Reply | undefined
  #isLeaving = false
  #held = true
  #ended = false
  #quitting = false

  constructor(socket: Duplex, owner: ChannelOwner, log: SmtpLog) {
    this.#socket = socket
    this.owner = owner
    this.log = log
    this.#reader = new ReplyReader(log.redact)
    this.#listen()
  }

  /** Whether data was received that is not yet a complete reply. */
  get hasRest(): boolean {
    return this.#reader.hasRest
  }

  /** Whether more was written than can be sent immediately. Further writes are then buffered in memory. */
  get isFull(): boolean {
    return this.#socket.writableNeedDrain
  }

  /** The time since the server last sent something, in milliseconds. */
  get silentMs(): number {
    return performance.now() - this.#heardAt
  }

  /** Whether the server has said goodbye. Nothing more is asked of it, even if it continues. */
  get isLeaving(): boolean {
    return this.#isLeaving
  }

  get socket(): Duplex {
    return this.#socket
  }

  /** Passes the next unclaimed replies to a handler. Called before the commands are written. */
  expect(handler: ReplyHandler, replies = 1): void {
    for (let count = replies; count > 0; count--) this.#waiting.push(handler)
  }

  /**
   * Writes commands whose replies go to a handler.
   * @param note what is logged instead of a command that contains a secret
   */
  ask(commands: string, handler: ReplyHandler, replies = 1, note: string = commands.trimEnd()): void {
    this.log.client(note)
    this.expect(handler, replies)
    this.write(commands)
  }

  /** Writes bytes. The callback is called when they were handed to the system, and not after the end. */
  write(data: string | Buffer, callback?: () => void): void {
    if (this.#ended) return
    try {
      if (callback) this.#socket.write(data, (error) => error || this.#ended || callback())
      else this.#socket.write(data)
    } catch (error) {
      // The socket of a getSocket may do so; one that is lost is what the rest of the session can deal with.
      this.#fail({ kind: 'lost', cause: toError(error) })
    }
  }

  /** Ends the channel unless `unlimit` or another limit is called within the time. One timer serves all limits. */
  limit(ms: number): void {
    this.#limitMs = ms
    if (!this.#ended) this.#limit.set(ms)
  }

  unlimit(): void {
    this.#limit.clear()
  }

  /** Whether the connection and its timer keep the process alive. */
  hold(alive: boolean): void {
    if (this.#held === alive) return
    this.#held = alive
    const socket: SocketParts = this.#socket as SocketParts
    this.#limit.hold(alive)
    if (alive) socket.ref?.()
    else socket.unref?.()
  }

  /** Replaces the socket with another one: TLS over it. What was awaited and received before is forgotten. */
  replaceSocket(socket: Duplex): void {
    this.#socket = socket
    this.#reader = new ReplyReader(this.log.redact)
    this.#waiting = []
    this.#listen()
  }

  /** Stops reading, for TLS to take over. */
  release(): Duplex {
    this.#unlisten()
    return this.#socket
  }

  /** Sends QUIT, and closes the connection cleanly after the reply or after the time limit. */
  quit(): void {
    if (this.#ended || this.#quitting) return
    this.#quitting = true
    const end = () => {
      if (!this.#socket.writableEnded) this.#socket.end()
    }
    this.ask('QUIT\r\n', { onReply: end })
    this.limit(QUIT_MS)
  }

  /** Destroys the connection; `onEnd` is not called. */
  destroy(): void {
    this.#end()
    this.#socket.destroy()
  }

  #listen(): void {
    this.#socket
      .on('data', this.#onData)
      .on('end', this.#onEnd)
      .on('error', this.#onError)
      .on('close', this.#onEnd)
  }

  #unlisten(): void {
    this.#socket
      .off('data', this.#onData)
      .off('end', this.#onEnd)
      .off('close', this.#onEnd)
      .off('error', this.#onError)
    // An error after the end must not become an uncaught error of the process.
    this.#socket.on('error', ignore)
  }

  #onData = (chunk: Buffer): void => {
    this.#heardAt = performance.now()
    this.#reader.push(chunk)
    for (;;) {
      let reply: Reply | undefined
      try {
        reply = this.#reader.next()
      } catch (error) {
        this.#fail({ kind: 'protocol', what: (error as Error).message })
        return
      }
      if (!reply) return
      this.#take(reply)
      if (this.#ended) return
    }
  }

  #take(reply: Reply): void {
    this.log.server(reply.response)
    // It continues, so it did not mean its goodbye.
    if (this.#goodbye) this.#limit.set(this.#limitMs)
    this.#goodbye = reply.code === 421 ? reply : undefined
    this.#isLeaving ||= reply.code === 421
    const handler = this.#waiting.shift()
    if (handler) handler.onReply(reply)
    else if (!this.#quitting) this.owner.onUnasked?.(reply)
    if (this.#ended) return
    if (reply.code === 421) {
      if (handler && this.owner.onGoodbye?.()) this.#limit.set(QUIT_MS)
      else this.#fail({ kind: 'goodbye', reply })
    } else if (!handler)
      this.#fail({ kind: 'protocol', what: `the reply ${reply.code}, which no command waits for` })
  }

  #onEnd = (): void => this.#lose(undefined)

  #onError = (cause: Error): void => this.#lose(cause)

  #beLate(): void {
    this.#fail(this.#goodbye ? { kind: 'lost', cause: undefined } : { kind: 'late' })
  }

  #lose(cause: Error | undefined): void {
    const reply = this.#reader.hasRest ? undefined : this.#goodbye
    this.#fail(reply ? { kind: 'goodbye', reply } : { kind: 'lost', cause })
  }

  #fail(end: ChannelEnd): void {
    if (this.#ended) return
    const { owner } = this
    this.#end()
    // If the server says goodbye or has closed its side, TLS is closed properly. Otherwise the connection is destroyed.
    if (end.kind === 'goodbye' || (end.kind === 'lost' && end.cause === undefined)) endSocket(this.#socket)
    else this.#socket.destroy()
    owner.onEnd(end)
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#limit.end()
    this.#waiting = []
    this.#unlisten()
    const { onClosed } = this
    this.onClosed = undefined
    onClosed?.()
  }
}

function ignore(): void {}
