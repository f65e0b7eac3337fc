import { deliveryOutcome } from '../problems/delivery-outcome.js'
import { publishRetry } from '../problems/diagnostics.js'
import type { PostmarkError } from '../problems/error.js'
import type { Failure, SendPhase, SmtpError } from '../problems/smtp-failure.js'
import type { TransactionResult } from '../smtp/shipment.js'
import { verifyLogin } from '../smtp/verify-login.js'
import type { Claimed } from './claim.js'
import { ClaimGate } from './claim-gate.js'
import { Deadlines } from './deadlines.js'
import type { Delivery, DeliveryOwner } from './delivery.js'
import { MailQueue } from './mail-queue.js'
import { type Place, QUEUE } from './place.js'
import { decide } from './retry.js'
import type { RoutePlan } from './route-plan.js'
import { type RouteState, routesInUse } from './routes-in-use.js'
import { type MailSource, SlotPool } from './slot-pool.js'

/** Phases in which a reply concerns an email. */
const PHASES_OF_MAIL: readonly SendPhase[] = ['envelope', 'body', 'final']

/** Places of an email that no session has. */
const WAITING: readonly string[] = ['gate', 'queue', 'pause'] satisfies Place['name'][]

/**
 * Where emails go and which login is used: a host with one login, one queue and the sessions that it feeds. Emails are
 * moved only here, and `place` says where each one is. Whatever takes an email from the queue owns it until its result.
 */
export class Route implements DeliveryOwner, MailSource {
  readonly plan: RoutePlan
  readonly #onTaken: () => void
  readonly #gate = new ClaimGate<Delivery>((delivery, claimed) => this.#onClaimed(delivery, claimed))
  readonly #queue = new MailQueue<Delivery>()
  /** All that are not finished. */
  readonly #deliveries = new Set<Delivery>()
  readonly #slots: SlotPool
  readonly #deadlines: Deadlines

  /** @param onTaken called whenever an email has left the queue */
  constructor(plan: RoutePlan, onTaken: () => void) {
    this.plan = plan
    this.#onTaken = onTaken
    this.#slots = new SlotPool(plan, this)
    this.#deadlines = new Deadlines(plan.retry.deadlineMs, this.#deliveries, () => this.#slots.lastError)
  }

  get host(): string {
    return this.plan.session.host
  }

  /** Emails that no session has yet. */
  get queued(): number {
    return this.#queue.size + this.#gate.size
  }

  get waiting(): number {
    return this.#queue.size
  }

  get first(): Delivery | undefined {
    return this.#queue.first
  }

  get state(): RouteState {
    let queued = 0
    for (const { place } of this.#deliveries) if (WAITING.includes(place.name)) queued++
    return { host: this.host, queued, ...this.#slots.counts }
  }

  /** Accepts an email. */
  add(delivery: Delivery): void {
    this.#deliveries.add(delivery)
    routesInUse.add(this)
    if (delivery.claim) this.#gate.add(delivery)
    else this.#queue.add(delivery)
    this.#deadlines.watch()
    this.#slots.pump()
  }

  /** Ends every email that is not finished. */
  stopAll(error: () => PostmarkError): void {
    for (const delivery of [...this.#deliveries]) delivery.stop(error())
  }

  /** Ends every session; resolves when no connection is left. */
  close(force: boolean): Promise<void> {
    this.#deadlines.rest()
    return this.#slots.close(force)
  }

  /** Logs in on a separate connection, then disconnects. */
  verify(): Promise<void> {
    return verifyLogin(this.plan.session)
  }

  /** The next email. The caller owns it. */
  take(): Delivery | undefined {
    const delivery = this.#queue.take()
    if (!delivery) return undefined
    delivery.place = { name: 'taken' }
    delivery.dueAt ??= this.#deadlines.of(delivery)
    if (delivery.claim) this.#gate.remove(delivery)
    this.#onTaken()
    return delivery
  }

  /** Puts an email that lost its session at the front of the queue. */
  giveBack(delivery: Delivery): void {
    if (delivery.place.name === 'done') return
    delivery.place = QUEUE
    delivery.release()
    this.#queue.giveBack(delivery)
    this.#slots.pump()
  }

  onResult(delivery: Delivery, result: TransactionResult): void {
    if (delivery.place.name === 'done') return
    if ('sent' in result) {
      this.#deadlines.finished()
      this.#end(delivery)
      delivery.succeed(result.sent)
    } else this.onFailure(delivery, result)
  }

  onFailure(delivery: Delivery, failure: Failure): void {
    const { error } = failure
    // A reply to the login says nothing about the progress of emails.
    if (error.responseCode !== undefined && PHASES_OF_MAIL.includes(error.phase)) this.#deadlines.finished()
    delivery.note(error)
    const { retry, session } = this.plan
    const facts = {
      attempts: delivery.attempts,
      leftMs: (delivery.dueAt ?? Number.POSITIVE_INFINITY) - performance.now(),
      returns: delivery.returns,
      wasGreeted: session.opener.wasGreeted,
      spent: delivery.spent,
    }
    // Sending at most once takes precedence over retrying an unknown mail.
    const decision = decide(failure, facts, delivery.claim ? { ...retry, unknown: false } : retry)
    if (decision.kind === 'return') {
      delivery.returns++
      delivery.attempts--
      this.giveBack(delivery)
    } else if (decision.kind === 'pause') {
      const { pauseMs } = decision
      delivery.release()
      const timer = setTimeout(() => this.giveBack(delivery), pauseMs)
      delivery.place = { name: 'pause', timer }
      publishRetry(delivery.event, failure.error, pauseMs)
    } else {
      this.#end(delivery)
      delivery.fail(error, error.outcome, decision.notRetried)
    }
  }

  onStopped(delivery: Delivery, error: SmtpError | PostmarkError): void {
    const { place } = delivery
    const outcome =
      place.name === 'session' ? place.session.cancel(delivery) : (delivery.lastError?.outcome ?? 'not-sent')
    if (place.name === 'pause') clearTimeout(place.timer)
    this.#end(delivery)
    delivery.fail(error, outcome)
    this.#slots.pump()
  }

  onUnused(): void {
    if (this.#deliveries.size === 0) routesInUse.delete(this)
  }

  /** Without a working session, this counts as an attempt of the first email in the queue. */
  onOpenFailed(delivery: Delivery, failure: Failure): void {
    delivery.beginAttempt(failure.error.port)
    delivery.onPhase(failure.error.phase)
    this.onFailure(delivery, failure)
  }

  /** The store has answered: the email may be sent, was already sent, or must not be sent now. */
  #onClaimed(delivery: Delivery, claimed: Claimed): void {
    if (claimed.kind === 'held') {
      delivery.place = QUEUE
      this.#queue.add(delivery)
      this.#slots.pump()
      return
    }
    this.#end(delivery)
    this.#onTaken()
    if (claimed.kind === 'sent') delivery.repeat(claimed.info, claimed.resolution)
    else delivery.fail(claimed.error, deliveryOutcome(claimed.error))
  }

  /** An email is finished: the route no longer holds it. */
  #end(delivery: Delivery): void {
    const hasWaited = this.#queue.remove(delivery)
    if ((delivery.claim && this.#gate.remove(delivery)) || hasWaited) this.#onTaken()
    this.#deliveries.delete(delivery)
    if (this.#deliveries.size > 0) return
    this.#deadlines.rest()
    this.#slots.rest()
    if (this.#slots.isUnused) routesInUse.delete(this)
  }
}
