import { deliveryOutcome } from '../problems/delivery-outcome.js'
import { publishGrouping, publishRetry } from '../problems/diagnostics.js'
import type { PostmarkError } from '../problems/error.js'
import type { Failure, SendPhase, SmtpError } from '../problems/smtp-failure.js'
import { smtpError } from '../problems/smtp-failure.js'
import type { Pipelining } from '../smtp/grouping.js'
import { Grouping } from '../smtp/grouping.js'
import type { SessionPlan } from '../smtp/open-session.js'
import { openSession } from '../smtp/open-session.js'
import type { TransactionResult } from '../smtp/shipment.js'
import type { Claimed } from './claim.js'
import { ClaimGate } from './claim-gate.js'
import type { ConnectionBudget, Tenant } from './connection-budget.js'
import type { Delivery, DeliveryOwner } from './delivery.js'
import { MailQueue } from './mail-queue.js'
import type { RetrySettings } from './retry.js'
import { decide, pauseAfter } from './retry.js'
import { Slot, type SlotHost } from './slot.js'

/** How sessions live. */
export interface PoolSettings {
  /** Mails per session. Default 100. */
  readonly maxMessages: number
  /** Age at which a session is not used again, give or take a tenth. Default 300,000 ms. */
  readonly maxAgeMs: number
  /** Time without a mail after which a session is closed, give or take a tenth. Default 30,000 ms. */
  readonly idleTimeoutMs: number
}

/**
 * How often the pause before another session is tried doubles. The failures of all mails of a route count here, so the
 * pause must end well below that of a single mail: a queue goes on at most eight seconds after its server is back.
 */
const MOST_STEPS = 5

/** What a route is made from. */
export interface RoutePlan {
  readonly session: SessionPlan
  readonly pool: PoolSettings
  readonly retry: RetrySettings
  readonly pipelining: Pipelining
  readonly budget: ConnectionBudget
}

/** Phases in which a reply is about a mail. */
const PHASES_OF_MAIL: readonly SendPhase[] = ['envelope', 'body', 'final']

/**
 * Where mails go and who logs in there: a host under one login, with one queue and the sessions that it feeds. A mail is
 * moved here only, and `place` says where it is: whoever takes it out of the queue owns it until its result.
 */
export class Route implements Tenant, DeliveryOwner, SlotHost {
  readonly plan: RoutePlan
  readonly #onTaken: () => void
  readonly grouping: Grouping
  readonly #gate = new ClaimGate<Delivery>((delivery, claimed) => this.#onClaimed(delivery, claimed))
  readonly #queue = new MailQueue<Delivery>()
  readonly #slots = new Set<Slot>()
  /** All that are not through. */
  readonly #deliveries = new Set<Delivery>()
  #pumping = false
  #pumpAgain = false
  /** When the last mail was accepted or refused: as long as that goes on, a long queue is no reason to give up. */
  #finishedAt = Number.NEGATIVE_INFINITY
  #deadline: NodeJS.Timeout | undefined
  /** Failures to open a session since the last that was opened. */
  #failures = 0
  #failedAt = Number.NEGATIVE_INFINITY
  #lastFailure: Failure | undefined
  #reopen: NodeJS.Timeout | undefined
  #drained: (() => void)[] = []

  /** @param onTaken called whenever a mail has left the queue */
  constructor(plan: RoutePlan, onTaken: () => void) {
    this.plan = plan
    this.#onTaken = onTaken
    const { host } = plan.session
    this.grouping = new Grouping((grouping, port, reason) =>
      publishGrouping({ host, port, grouping, reason }),
    )
  }

  get host(): string {
    return this.plan.session.host
  }

  /** Mails that no session has taken yet. */
  get queued(): number {
    return this.#queue.size + this.#gate.size
  }

  /** Takes a mail. */
  add(delivery: Delivery): void {
    this.#deliveries.add(delivery)
    if (delivery.claim) this.#gate.add(delivery)
    else this.#queue.add(delivery)
    this.#watchDeadlines(this.plan.retry.deadlineMs)
    this.#pump()
  }

  /** Ends every mail that is not through. */
  stopAll(error: () => PostmarkError): void {
    for (const delivery of [...this.#deliveries]) delivery.stop(error())
  }

  /** Ends every session; resolves when no connection is left. */
  close(force: boolean): Promise<void> {
    clearTimeout(this.#deadline)
    clearTimeout(this.#reopen)
    this.plan.budget.leave(this)
    for (const slot of [...this.#slots]) slot.end(force, true)
    if (this.#slots.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#drained.push(resolve))
  }

  /** Logs in on a connection of its own, and leaves. */
  verify(): Promise<void> {
    return new Promise((resolve, reject) => {
      openSession(this.plan.session, (result) => {
        if ('failure' in result) reject(result.failure.error)
        else {
          result.opened.channel.owner = { onEnd: () => {} }
          result.opened.channel.quit()
          resolve()
        }
      })
    })
  }

  closeIdle(): boolean {
    const idle = [...this.#slots].find((slot) => slot.isIdle)
    idle?.end(false)
    return idle !== undefined
  }

  giveUpOpening(): boolean {
    const slot = [...this.#slots].findLast(({ isOpening }) => isOpening)
    // Later, since whoever waits for the place is in the midst of asking for it.
    if (slot) process.nextTick(() => slot.isOpening && slot.end(false))
    return slot !== undefined
  }

  onPlace(): void {
    this.#pump()
  }

  onResult(delivery: Delivery, result: TransactionResult): void {
    if (delivery.place.name === 'done') return
    if ('sent' in result) {
      this.#finishedAt = performance.now()
      this.#end(delivery)
      delivery.succeed(result.sent)
    } else this.onFailure(delivery, result)
  }

  onFailure(delivery: Delivery, failure: Failure): void {
    const { error } = failure
    const now = performance.now()
    // A reply to the login says nothing of how the mails get on.
    if (error.responseCode !== undefined && PHASES_OF_MAIL.includes(error.phase)) this.#finishedAt = now
    delivery.note(error)
    const { retry, session } = this.plan
    const facts = {
      attempts: delivery.attempts,
      leftMs: (delivery.dueAt ?? Number.POSITIVE_INFINITY) - now,
      returns: delivery.returns,
      wasGreeted: session.opener.wasGreeted,
      spent: delivery.spent,
    }
    // At most once counts for more than the wish to try an unknown mail again.
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
    this.#pump()
  }

  /** Puts a mail that no session has any more in front of the queue. */
  giveBack(delivery: Delivery): void {
    if (delivery.place.name === 'done') return
    delivery.place = { name: 'queue' }
    delivery.release()
    this.#queue.giveBack(delivery)
    this.#pump()
  }

  /**
   * The next mail, for a slot that has room for it. One that is idle may also have the mail that waits for a session
   * which is still busy.
   */
  take(isIdle: boolean): Delivery | undefined {
    const delivery = this.#queue.take()
    if (!delivery) return isIdle ? this.#takeFromSlots() : undefined
    delivery.place = { name: 'taken' }
    delivery.dueAt ??= this.#dueAt(delivery)
    if (delivery.claim) this.#gate.remove(delivery)
    if (this.#queue.size === 0) this.plan.budget.leave(this)
    this.#onTaken()
    return delivery
  }

  /** The store has answered for a mail: it may be sent, was sent before, or must not be sent now. */
  #onClaimed(delivery: Delivery, claimed: Claimed): void {
    if (claimed.kind === 'held') {
      delivery.place = { name: 'queue' }
      this.#queue.add(delivery)
      this.#pump()
      return
    }
    this.#end(delivery)
    this.#onTaken()
    if (claimed.kind === 'sent') delivery.repeat(claimed.info, claimed.resolution)
    else delivery.fail(claimed.error, deliveryOutcome(claimed.error))
  }

  #takeFromSlots(): Delivery | undefined {
    for (const slot of this.#slots) {
      const delivery = slot.surrender()
      if (delivery) return delivery
    }
    return undefined
  }

  onOpened(): void {
    this.#failures = 0
    this.#lastFailure = undefined
    this.#pump()
  }

  /** No session came about. Where no other one serves the queue, the first mail of it has had an attempt. */
  onOpenFailed(slot: Slot, failure: Failure): void {
    this.#lastFailure = failure
    // Those that were started together fail together, and count as one.
    if (slot.startedAt >= this.#failedAt) {
      this.#failures++
      this.#failedAt = performance.now()
    }
    // Its place may be offered to this very route, which must know by then that it has to wait.
    this.#remove(slot)
    const serves = [...this.#slots].some((each) => each.session)
    if (!serves) {
      const delivery = this.take(false)
      if (delivery) {
        delivery.attempts++
        delivery.event.attempt = delivery.attempts
        delivery.event.port = failure.error.port
        delivery.onPhase(failure.error.phase)
        this.onFailure(delivery, failure)
      }
      if (failure.retry === 'never') this.#failures = 0
    }
    this.#pump()
  }

  onClosed(slot: Slot): void {
    this.#remove(slot)
    this.#pump()
  }

  /** Whether the place of a slot belongs to another route now. */
  mustYield({ mails, heldMs }: Slot): boolean {
    if (!this.isWanted) return false
    let leaving = 0
    for (const { isEnding } of this.#slots) if (isEnding) leaving++
    return this.plan.budget.mustYield(this, { mails, heldMs, leaving })
  }

  get isWanted(): boolean {
    return this.plan.budget.isWanted(this)
  }

  /** Feeds the queue to sessions that are ready, and opens others, one for each mail that waits. */
  #pump(): void {
    // What is called below may come back here: then the loop runs once more, and nothing is handed out twice.
    this.#pumpAgain = true
    if (this.#pumping) return
    this.#pumping = true
    while (this.#pumpAgain) {
      this.#pumpAgain = false
      for (const slot of this.#slots) if (slot.isIdle) slot.onReady()
      this.#openMore()
      for (const slot of this.#slots) {
        if (this.#queue.size === 0) break
        slot.lookAhead()
      }
    }
    this.#pumping = false
    if (this.#queue.size === 0) this.plan.budget.leave(this)
  }

  #openMore(): void {
    let opening = 0
    for (const slot of this.#slots) if (!slot.session) opening++
    while (opening < this.#queue.size) {
      if (this.#failures > 0 && (opening > 0 || this.#mustWait())) return
      if (!this.plan.budget.take(this)) return
      this.#slots.add(new Slot(this))
      // The session takes a while to come about: time enough to compose what it will carry first.
      if (opening === 0) this.#queue.first?.compose(() => {})
      opening++
    }
  }

  /** After a failure to open a session the next trial waits, in steps that grow: a dead server is asked by one session at a time. */
  #mustWait(): boolean {
    if (this.#reopen) return true
    const steps = Math.min(this.#failures, MOST_STEPS)
    const waitMs = this.#failedAt + pauseAfter(steps, this.plan.retry.baseMs) / 2 - performance.now()
    if (waitMs <= 0) return false
    this.#reopen = setTimeout(() => {
      this.#reopen = undefined
      this.#pump()
    }, waitMs)
    return true
  }

  #remove(slot: Slot): void {
    if (!this.#slots.delete(slot)) return
    this.plan.budget.release(this)
    if (this.#slots.size > 0) return
    for (const resolve of this.#drained.splice(0)) resolve()
  }

  /** A mail is through: nothing of the route holds it any more. */
  #end(delivery: Delivery): void {
    const hasWaited = this.#queue.remove(delivery)
    if ((delivery.claim && this.#gate.remove(delivery)) || hasWaited) this.#onTaken()
    this.#deliveries.delete(delivery)
    if (this.#deliveries.size > 0) return
    clearTimeout(this.#deadline)
    clearTimeout(this.#reopen)
    this.#deadline = undefined
    this.#reopen = undefined
    // What is still opening has nobody to serve, and would keep the process alive.
    for (const slot of [...this.#slots]) if (!slot.session) slot.end(true)
  }

  #dueAt({ sentAt }: Delivery): number {
    return Math.max(sentAt, this.#finishedAt) + this.plan.retry.deadlineMs
  }

  /**
   * One timer for all mails: it looks when the first could be due, and then when the next could be. As long as there
   * are mails it also keeps the process alive, whatever they wait for.
   */
  #watchDeadlines(ms: number): void {
    this.#deadline ??= setTimeout(this.#checkDeadlines, Math.ceil(ms))
  }

  #checkDeadlines = (): void => {
    this.#deadline = undefined
    const now = performance.now()
    let next = Number.POSITIVE_INFINITY
    for (const delivery of [...this.#deliveries]) {
      const dueAt = delivery.dueAt ?? this.#dueAt(delivery)
      if (dueAt <= now + 0.5) delivery.stop(this.#deadlineError(delivery))
      else next = Math.min(next, dueAt)
    }
    if (next !== Number.POSITIVE_INFINITY) this.#watchDeadlines(next - now)
  }

  #deadlineError({ event, lastError }: Delivery): SmtpError {
    const seconds = this.plan.retry.deadlineMs / 1000
    const last = lastError ?? this.#lastFailure?.error
    const why = last ? ` The last attempt failed: ${last.message}` : ''
    return smtpError(`The mail was not through after ${seconds} s.${why}`, {
      code: 'ETIMEDOUT',
      command: 'API',
      phase: event.phase,
      outcome: 'not-sent',
      explanation: last?.explanation,
      cause: last,
    })
  }
}
