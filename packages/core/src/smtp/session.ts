import type { Channel } from './channel.js'
import type { ChannelEnd } from './channel-owner.js'
import type { Opened } from './open-session.js'
import { Pipeline } from './pipeline.js'
import type { PipelineHost } from './pipeline-host.js'
import type { Reply } from './reply-reader.js'
import type { SessionSettings } from './session-settings.js'
import type { Shipment } from './shipment.js'

/** The state of a session that is logged in. Before that it is an OpeningSession, with its own states. */
export type SessionState =
  /** Nothing is in progress. The session listens, so that it notices when the server leaves. */
  | 'ready'
  /** Emails are in progress: one, plus the envelope of the next, or whole emails. */
  | 'transaction'
  /** QUIT has been sent; the server has a moment to reply. */
  | 'closing'
  | 'closed'

/** What feeds a session. */
export interface SessionOwner {
  /** The session can accept an email. */
  onReady(session: Session): void
  /** The session has ended. Called once. */
  onClosed(session: Session): void
  /** A fully composed email, to be sent before the previous one is answered. It belongs to the session from then on. */
  takeNext(session: Session, accepts: (shipment: Shipment) => boolean): Shipment | undefined
}

/** One SMTP session after its login. It carries one email after another, and settles each exactly once. */
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
    // Unfinished emails keep the process alive, not connections.
    channel.hold(false)
    this.#rest()
  }

  get state(): SessionState {
    if (this.#life !== 'open') return this.#life
    return this.#pipeline.isEmpty ? 'ready' : 'transaction'
  }

  /** Sends an email; only when ready. */
  send(shipment: Shipment): void {
    this.#pipeline.begin(shipment)
  }

  /**
   * Gives up an email: its owner settles it with the returned outcome, and `settle` is not called.
   * @returns `unknown` if the end of its body has been sent; the session reads on, for the emails after it
   */
  cancel(shipment: Shipment): 'not-sent' | 'unknown' {
    return this.#pipeline.cancel(shipment)
  }

  /** Ends an idle session with QUIT, unless `force` is set. Any other session is destroyed. */
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

  /** Whether the next emails should use another session. */
  get isWorn(): boolean {
    return this.#pipeline.isWorn
  }

  /** An email is waiting. It is taken with `takeNext` if it may immediately follow those in progress. */
  offer(): void {
    if (this.state === 'transaction') this.#pipeline.fill()
  }

  takeNext(accepts: (shipment: Shipment) => boolean): Shipment | undefined {
    return this.#owner.takeNext(this, accepts)
  }

  /** Without RSET, Postfix accepts a body under the sender of a refused email. */
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
    // Replies arrive in order. If commands may be written ahead, the reply to RSET need not be awaited.
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
    // The server sent an extra reply or said goodbye, so it gets no further mail.
    if (this.#channel.hasRest || this.#channel.isLeaving) {
      this.close()
      return
    }
    this.#rest()
    this.#owner.onReady(this)
  }

  /** Idles: the session listens, and ends after the idle time. */
  #rest(): void {
    this.#channel.limit(this.#settings.idleMs())
  }

  /** A session that reaches its idle time quits. Any other time limit destroys it. */
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
