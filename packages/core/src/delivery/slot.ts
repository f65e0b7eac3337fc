import type { Opening } from '../problems/diagnostics.js'
import type { Failure } from '../problems/smtp-failure.js'
import type { Chunking } from '../smtp/chunking.js'
import type { Grouping } from '../smtp/grouping.js'
import { modeInUse } from '../smtp/mode-in-use.js'
import type { OpeningSession } from '../smtp/open-session.js'
import { openSession } from '../smtp/open-session.js'
import type { SessionOwner } from '../smtp/session.js'
import { Session } from '../smtp/session.js'
import type { Shipment } from '../smtp/shipment.js'
import { composeFailure } from './compose.js'
import type { Delivery } from './delivery.js'
import type { RoutePlan } from './route-plan.js'
import { SessionAge } from './session-age.js'

/** What a slot asks of its route. */
export interface SlotHost {
  readonly plan: RoutePlan
  readonly grouping: Grouping
  readonly chunking: Chunking
  take(isIdle: boolean): Delivery | undefined
  giveBack(delivery: Delivery): void
  onFailure(delivery: Delivery, failure: Failure): void
  onOpened(): void
  onOpenFailed(slot: Slot, failure: Failure): void
  onClosed(slot: Slot): void
  /** Whether the place of a session now belongs to another route. */
  mustYield(age: SessionAge): boolean
  /** Whether another route waits for a place. */
  readonly isWanted: boolean
}

/** An email taken from the queue that is being composed, or is composed and waits for the session. */
interface Prepared {
  readonly delivery: Delivery
  isComposed: boolean
}

/**
 * One place of the budget: a session from opening to end, the emails that it carries, and at most one more that is
 * composed ahead.
 */
export class Slot implements SessionOwner {
  session: Session | undefined
  readonly age: SessionAge
  readonly #host: SlotHost
  #opening: OpeningSession | undefined
  /** The next email. */
  #prepared: Prepared | undefined
  /** How long the session took to open; kept until it carries its first email. */
  #openingTimes: Opening | undefined
  #busy = false
  #closing = false

  constructor(host: SlotHost) {
    this.#host = host
    this.age = new SessionAge(host.plan.pool)
    const { plan, grouping, chunking } = host
    const { pipelining } = plan
    const learned = { pipelining, grouping, chunking, inFlight: plan.pool.inFlight }
    this.#opening = openSession(
      plan.session,
      (result) => {
        this.#opening = undefined
        if ('failure' in result) {
          this.#closing = true
          host.onOpenFailed(this, result.failure)
          return
        }
        this.#openingTimes = result.opened.opening
        this.session = new Session(result.opened, this, {
          ...learned,
          limits: plan.session.limits,
          idleMs: () => this.age.idleMs(host.isWanted),
        })
        host.onOpened()
      },
      (opened) => modeInUse(opened, learned),
    )
  }

  /** Whether it is logged in and idle. */
  get isIdle(): boolean {
    return this.session?.state === 'ready' && !this.#busy && !this.#prepared && !this.#closing
  }

  /** Whether it carries an email. */
  get isBusy(): boolean {
    return this.#busy
  }

  get isOpening(): boolean {
    return this.#opening !== undefined
  }

  /** Whether its place will be free soon. */
  get isEnding(): boolean {
    return this.#closing || this.session?.state === 'closing'
  }

  /** Composes the next email ahead, while another one is in progress. */
  lookAhead(): void {
    if (!this.#busy || this.#prepared || this.#closing || this.age.isSpent || this.#host.mustYield(this.age))
      return
    this.#prepare(false)
  }

  readonly #lookAheadLater = (): void => this.lookAhead()

  /** Passes the email that waits for this session to an idle one. */
  surrender(): Delivery | undefined {
    if (!this.#busy || !this.#prepared) return undefined
    const { delivery } = this.#prepared
    this.#prepared = undefined
    return delivery.place.name === 'done' ? undefined : delivery
  }

  /**
   * Ends it: an idle session with QUIT, unless `force` is set, anything else immediately. With `hold`, the process
   * stays alive for it.
   */
  end(force: boolean, hold = false): void {
    this.#closing = true
    if (this.session) {
      if (hold) this.session.hold()
      this.session.close(force)
      return
    }
    if (!this.#opening) return
    this.#opening.cancel()
    this.#opening = undefined
    this.#host.onClosed(this)
  }

  /** Takes an email and sends it as soon as it is composed. Only if the slot is idle, or has become idle. */
  onReady(): void {
    this.#busy = false
    if (this.age.isSpent || this.session?.isWorn || this.#host.mustYield(this.age)) {
      this.end(false)
      this.#dropPrepared()
    } else if (!this.#prepared) this.#prepare(true)
    else if (this.#prepared.isComposed) this.#send(this.#prepared.delivery)
  }

  onClosed(): void {
    this.session = undefined
    this.#closing = true
    this.#dropPrepared()
    this.#host.onClosed(this)
  }

  takeNext(session: Session, accepts: (shipment: Shipment) => boolean): Shipment | undefined {
    const prepared = this.#prepared
    if (
      !prepared?.isComposed ||
      !prepared.delivery.isWhole ||
      this.age.isSpent ||
      this.#host.mustYield(this.age) ||
      !accepts(prepared.delivery)
    )
      return undefined
    const { delivery } = prepared
    this.#prepared = undefined
    if (delivery.place.name === 'done') return undefined
    this.#hand(delivery, session)
    // The one after it is composed once this write has been sent.
    process.nextTick(this.#lookAheadLater)
    return delivery
  }

  get #canSend(): boolean {
    return this.session?.state === 'ready' && !this.#busy && !this.#closing
  }

  #prepare(isIdle: boolean): void {
    const delivery = this.#host.take(isIdle)
    if (!delivery) return
    const prepared: Prepared = { delivery, isComposed: false }
    this.#prepared = prepared
    delivery.compose((error) => {
      // Another slot or the queue may have it now, because the session ended.
      if (this.#prepared !== prepared) return
      if (error || delivery.place.name === 'done') {
        this.#prepared = undefined
        if (error) this.#host.onFailure(delivery, composeFailure(error))
        // Not synchronously: thousands of consecutive emails that cannot be composed would overflow the stack.
        process.nextTick(() => this.isIdle && this.onReady())
      } else {
        prepared.isComposed = true
        if (this.#canSend) this.#send(delivery)
        else this.session?.offer()
      }
    })
  }

  #send(delivery: Delivery): void {
    const { session } = this
    this.#prepared = undefined
    if (!session || delivery.place.name === 'done') {
      if (this.#canSend) this.onReady()
      return
    }
    this.#busy = true
    this.#hand(delivery, session)
    session.send(delivery)
    this.lookAhead()
  }

  /** From here on, the session is responsible for the email. */
  #hand(delivery: Delivery, session: Session): void {
    this.age.mails++
    delivery.beginAttempt(session.port, this.#openingTimes)
    this.#openingTimes = undefined
    delivery.place = { name: 'session', session }
  }

  #dropPrepared(): void {
    const prepared = this.#prepared
    this.#prepared = undefined
    if (prepared) this.#host.giveBack(prepared.delivery)
  }
}
