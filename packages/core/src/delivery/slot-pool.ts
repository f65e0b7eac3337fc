import { publishChunking, publishGrouping } from '../problems/diagnostics.js'
import type { Failure, SmtpError } from '../problems/smtp-failure.js'
import { copyFailure } from '../problems/smtp-failure.js'
import { Chunking } from '../smtp/chunking.js'
import { Grouping } from '../smtp/grouping.js'
import type { Tenant } from './connection-budget.js'
import type { Delivery } from './delivery.js'
import { Reopening } from './reopening.js'
import type { RoutePlan } from './route-plan.js'
import type { SessionAge } from './session-age.js'
import { Slot, type SlotHost } from './slot.js'

/** Where the emails come from: the route. */
export interface MailSource {
  /** Emails that wait for a session. */
  readonly waiting: number
  /** The next email, without removing it. */
  readonly first: Delivery | undefined
  take(): Delivery | undefined
  giveBack(delivery: Delivery): void
  onFailure(delivery: Delivery, failure: Failure): void
  /** No session could be opened for the first email, and no other one is working. */
  onOpenFailed(delivery: Delivery, failure: Failure): void
  /** The last session has ended. */
  onUnused(): void
}

/** The sessions of a route: one for each waiting mail, as far as the budget has places. */
export class SlotPool implements Tenant, SlotHost {
  readonly plan: RoutePlan
  readonly grouping: Grouping
  readonly chunking: Chunking
  readonly #mails: MailSource
  readonly #slots = new Set<Slot>()
  readonly #reopening: Reopening
  #pumping = false
  #pumpAgain = false
  #drained: (() => void)[] = []

  constructor(plan: RoutePlan, mails: MailSource) {
    this.plan = plan
    this.#mails = mails
    const { host } = plan.session
    this.grouping = new Grouping((grouping, port, reason) =>
      publishGrouping({ host, port, grouping, reason }),
    )
    this.chunking = new Chunking((chunking, port, reason) =>
      publishChunking({ host, port, chunking, reason }),
    )
    this.#reopening = new Reopening(plan.retry.baseMs, () => this.pump())
  }

  /** Why no session can be opened, as long as none can. */
  get lastError(): SmtpError | undefined {
    return this.#reopening.lastError
  }

  get isUnused(): boolean {
    return this.#slots.size === 0
  }

  /** The connections, by activity. */
  get counts(): { readonly opening: number; readonly idle: number; readonly busy: number } {
    const counts = { opening: 0, idle: 0, busy: 0 }
    for (const slot of this.#slots) counts[slot.isOpening ? 'opening' : slot.isBusy ? 'busy' : 'idle']++
    return counts
  }

  /** Passes emails to sessions that are ready, and opens more, one for each waiting mail. */
  pump(): void {
    // The calls below may re-enter this method. The loop then runs once more, and nothing is handed out twice.
    this.#pumpAgain = true
    if (this.#pumping) return
    this.#pumping = true
    while (this.#pumpAgain) {
      this.#pumpAgain = false
      for (const slot of this.#slots) if (slot.isIdle) slot.onReady()
      this.#openMore()
      for (const slot of this.#slots) {
        if (this.#mails.waiting === 0) break
        slot.lookAhead()
      }
    }
    this.#pumping = false
    if (this.#mails.waiting === 0) this.plan.budget.leave(this)
  }

  /** No emails are left. Sessions that are still opening have nothing to do, and would keep the process alive. */
  rest(): void {
    this.#reopening.rest()
    for (const slot of [...this.#slots]) if (!slot.session) slot.end(true)
  }

  /** Ends every session; resolves when no connection is left. */
  close(force: boolean): Promise<void> {
    this.#reopening.rest()
    this.plan.budget.leave(this)
    for (const slot of [...this.#slots]) slot.end(force, true)
    if (this.#slots.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#drained.push(resolve))
  }

  closeIdle(): boolean {
    const idle = [...this.#slots].find((slot) => slot.isIdle)
    idle?.end(false)
    return idle !== undefined
  }

  giveUpOpening(): boolean {
    const slot = [...this.#slots].findLast(({ isOpening }) => isOpening)
    // Later, because the tenant that waits for the place is still asking for it.
    if (slot) process.nextTick(() => slot.isOpening && slot.end(false))
    return slot !== undefined
  }

  onPlace(): void {
    this.pump()
  }

  /** The next email. An idle slot may also take the one that waits for a session that is still busy. */
  take(isIdle: boolean): Delivery | undefined {
    const delivery = this.#mails.take()
    if (delivery) {
      if (this.#mails.waiting === 0) this.plan.budget.leave(this)
      return delivery
    }
    return isIdle ? this.#takeFromSlots() : undefined
  }

  giveBack(delivery: Delivery): void {
    this.#mails.giveBack(delivery)
  }

  onFailure(delivery: Delivery, failure: Failure): void {
    this.#mails.onFailure(delivery, failure)
  }

  onOpened(): void {
    this.#reopening.opened()
    this.pump()
  }

  onOpenFailed(slot: Slot, failure: Failure): void {
    const { startedAt } = slot.age
    const isFinal = this.#reopening.failed(startedAt, failure)
    // Its place may be offered to this same route, which must know by then that it has to wait.
    this.#remove(slot)
    if (![...this.#slots].some((each) => each.session)) {
      let delivery = this.take(false)
      while (delivery) {
        this.#mails.onOpenFailed(delivery, copyFailure(failure))
        const { first } = this.#mails
        delivery = isFinal && first && first.sentAt <= startedAt ? this.take(false) : undefined
      }
      if (failure.retry === 'never') this.#reopening.forget()
    }
    this.pump()
  }

  onClosed(slot: Slot): void {
    this.#remove(slot)
    this.pump()
  }

  mustYield({ mails, heldMs }: SessionAge): boolean {
    if (!this.isWanted) return false
    let leaving = 0
    for (const { isEnding } of this.#slots) if (isEnding) leaving++
    return this.plan.budget.mustYield(this, { mails, heldMs, leaving })
  }

  get isWanted(): boolean {
    return this.plan.budget.isWanted(this)
  }

  #openMore(): void {
    let opening = 0
    for (const slot of this.#slots) if (!slot.session) opening++
    while (opening < this.#mails.waiting) {
      if (this.#reopening.isFailing && (opening > 0 || this.#reopening.mustWait())) return
      if (!this.plan.budget.take(this)) return
      this.#slots.add(new Slot(this))
      // Opening the session takes a while: time enough to compose its first email once it has begun.
      if (opening === 0) process.nextTick(() => this.#mails.first?.compose(() => {}))
      opening++
    }
  }

  #takeFromSlots(): Delivery | undefined {
    for (const slot of this.#slots) {
      const delivery = slot.surrender()
      if (delivery) return delivery
    }
    return undefined
  }

  #remove(slot: Slot): void {
    if (!this.#slots.delete(slot)) return
    this.plan.budget.release(this)
    if (this.#slots.size > 0) return
    this.#mails.onUnused()
    for (const resolve of this.#drained.splice(0)) resolve()
  }
}
