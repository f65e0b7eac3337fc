import type { Channel } from './channel.js'
import type { ChannelEnd } from './channel-owner.js'
import type { Opened } from './open-session.js'
import { Pipeline } from './pipeline.js'
import type { PipelineHost } from './pipeline-host.js'
import type { Reply } from './reply-reader.js'
import type { SessionSettings } from './session-settings.js'
import type { Shipment } from './shipment.js'

/** Where a session that is logged in is; before that it is an OpeningSession, with states of its own. */
export type SessionState =
  /** Nothing is under way: the session listens, so that it notices when the server leaves. */
  | 'ready'
  /** Mails are under way: one, and the envelope of the next one, or whole mails. */
  | 'transaction'
  /** QUIT is said; the server has a moment to answer. */
  | 'closing'
  | 'closed'

/** Whoever feeds a session. */
export interface SessionOwner {
  /** The session can take a mail. */
  onReady(session: Session): void
  /** The session is gone; called once. */
  onClosed(session: Session): void
  /** A mail that is composed in full, to be sent before the one before it is answered; it is the session's from then on. */
  takeNext(session: Session, accepts: (shipment: Shipment) => boolean): Shipment | undefined
}

/** One SMTP session after its login: it carries one mail after the other, and answers for each exactly once. */
export class Session implements PipelineHost {
  readonly port: number | undefined
  readonly #channel: Channel
  readonly #owner: SessionOwner
  readonly #settings: SessionSettings
  readonly #pipeline: Pipeline
  #life: 'open' | 'closing' | 'closed' = 'open'
  #resetting = false

  constructor(opened: Opened, owner: SessionOwner, settings: SessionSettings) {
    const { channel, port } = opened
    this.#channel = channel
    this.port = port
    this.#owner = owner
    this.#settings = settings
    this.#pipeline = new Pipeline(opened, this, settings)
    channel.owner = {
      onEnd: (end) => this.#onEnd(end),
      onUnasked: (reply: Reply) => this.#pipeline.onUnasked(reply),
      onGoodbye: () => this.#pipeline.onServerLeaves(),
      onLimit: () => this.#onLimit(),
    }
    // Mails that are not through keep the process alive, not connections.
    channel.hold(false)
    this.#rest()
  }

  get state(): SessionState {
    if (this.#life !== 'open') return this.#life
    return this.#pipeline.isEmpty ? 'ready' : 'transaction'
  }

  /** Sends a mail; only when ready. */
  send(shipment: Shipment): void {
    this.#pipeline.begin(shipment)
  }

  /**
   * Gives up a mail: its owner settles it with the outcome that is returned, and `settle` is not called.
   * @returns `unknown` where the end of its body is out: the session reads on, for the mails after it
   */
  cancel(shipment: Shipment): 'not-sent' | 'unknown' {
    return this.#pipeline.cancel(shipment)
  }

  /** Ends a session that is ready with QUIT, unless `force` is set; any other is broken off. */
  close(force = false): void {
    if (this.state === 'ready' && !force) {
      this.#life = 'closing'
      this.#channel.quit()
    } else if (force || this.state === 'transaction') this.breakOff()
  }

  /** Keeps the process alive until the end. */
  hold(): void {
    this.#channel.hold(true)
  }

  /** Whether the next mails are better off on another session. */
  get isWorn(): boolean {
    return this.#pipeline.isWorn
  }

  /** A mail waits: it is taken with `takeNext` where it may follow those under way at once. */
  offer(): void {
    if (this.state === 'transaction') this.#pipeline.fill()
  }

  takeNext(accepts: (shipment: Shipment) => boolean): Shipment | undefined {
    return this.#owner.takeNext(this, accepts)
  }

  /** Without RSET, Postfix takes a body under the sender of a refused mail. */
  onRefused(): void {
    this.#resetting = true
    this.#channel.limit(this.#settings.limits.replyMs)
    this.#channel.ask('RSET\r\n', {
      onReply: ({ code }) => {
        this.#resetting = false
        if (code !== 250) this.breakOff()
        else if (this.state === 'ready' && !this.#pipeline.writesAhead) this.#ready()
      },
    })
  }

  onEmpty(): void {
    // The replies come in order: where commands may be written ahead, the one to RSET need not be awaited.
    if (this.#life === 'open' && (!this.#resetting || this.#pipeline.writesAhead)) this.#ready()
  }

  breakOff(): void {
    if (this.#life === 'closed') return
    this.#life = 'closed'
    this.#channel.destroy()
    this.#pipeline.drop()
    this.#owner.onClosed(this)
  }

  #ready(): void {
    // More was said than was asked for, or goodbye: no further mail is handed to whoever does that.
    if (this.#channel.hasRest || this.#channel.isLeaving) {
      this.close()
      return
    }
    this.#rest()
    this.#owner.onReady(this)
  }

  /** Idles: the session listens, and ends when that has lasted long enough. */
  #rest(): void {
    this.#channel.limit(this.#settings.idleMs())
  }

  /** A session that has idled long enough takes its leave; any other limit breaks it off. */
  #onLimit(): boolean {
    if (this.state !== 'ready') return false
    this.close()
    return true
  }

  #onEnd(end: ChannelEnd): void {
    this.#life = 'closed'
    this.#pipeline.fail(end)
    this.#owner.onClosed(this)
  }
}
