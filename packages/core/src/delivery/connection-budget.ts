/** Anything that opens connections: a route. */
export interface Tenant {
  /** Closes an idle connection to make room. Returns false if there is none. */
  closeIdle(): boolean
  /** Gives up a connection that is still opening. Returns false if there is none. */
  giveUpOpening(): boolean
  /** A place is free. Take it now or leave it to others. */
  onPlace(): void
}

/** A place held by a tenant. */
export interface Holding {
  /** How many emails it has served, and for how long it has been held. */
  readonly mails: number
  readonly heldMs: number
  /** How many other places of the same tenant are about to be given up. */
  readonly leaving: number
}

/**
 * How many emails, and how long, a route keeps its only place while others wait. A login costs as much as several emails.
 */
const MOST_MAILS = 20
const LONGEST_MS = 5_000

/** How long a place may be idle while others wait. A caller that sends one email after another is back by then. */
export const IDLE_WHILE_WANTED_MS = 100

/**
 * The maximum number of open connections across all routes. While others wait, each route has a share of the places;
 * above its share, a route gives up a place when its email is done. Only routes that have or wait for a place are kept
 * here.
 */
export class ConnectionBudget {
  readonly max: number
  readonly #places = new Map<Tenant, number>()
  readonly #waiting = new Set<Tenant>()
  #used = 0

  constructor(max: number) {
    this.max = max
  }

  /** Takes a place. If none is free, others are asked to make room, and `onPlace` is called later. */
  take(tenant: Tenant): boolean {
    if (this.#used >= this.max) {
      if (!this.#waiting.has(tenant)) {
        this.#waiting.add(tenant)
        this.#makeRoom(tenant)
      }
      return false
    }
    this.#waiting.delete(tenant)
    this.#used++
    this.#places.set(tenant, this.#placesOf(tenant) + 1)
    return true
  }

  /**
   * Gives a place back and offers it to those waiting: those with the fewest places first, and the one that gave it
   * back last.
   */
  release(tenant: Tenant): void {
    this.#used--
    const left = this.#placesOf(tenant) - 1
    if (left > 0) this.#places.set(tenant, left)
    else this.#places.delete(tenant)
    // It may have waited longer than others, so a place that it gave up for them would come back to it.
    if (this.#waiting.delete(tenant)) this.#waiting.add(tenant)
    // Those that do not get a place wait again.
    for (const waiting of [...this.#waiting].sort((a, b) => this.#placesOf(a) - this.#placesOf(b))) {
      if (this.#used >= this.max) return
      this.#waiting.delete(waiting)
      waiting.onPlace()
    }
  }

  /** Stops waiting. */
  leave(tenant: Tenant): void {
    this.#waiting.delete(tenant)
  }

  /** Whether others wait for a place. */
  isWanted(tenant: Tenant): boolean {
    return this.#waiting.size > (this.#waiting.has(tenant) ? 1 : 0)
  }

  /** Whether a place must be given up once its email is done. */
  mustYield(tenant: Tenant, { mails, heldMs, leaving }: Holding): boolean {
    if (!this.isWanted(tenant)) return false
    const share = this.#share
    let short = 0
    for (const waiting of this.#waiting) if (waiting !== tenant && this.#placesOf(waiting) < share) short++
    // One for each that waits is enough, because each place that is given up takes another login.
    if (short <= leaving) return false
    if (this.#placesOf(tenant) - leaving > share) return true
    return this.#isCrowded && (mails >= MOST_MAILS || heldMs >= LONGEST_MS)
  }

  /** An idle connection of another route makes room; otherwise one that a route above its share is still opening. */
  #makeRoom(tenant: Tenant): void {
    const others = [...this.#places.keys()].filter((other) => other !== tenant)
    if (others.some((other) => other.closeIdle())) return
    const share = this.#share
    if (this.#placesOf(tenant) >= share) return
    others.some((other) => this.#placesOf(other) > share && other.giveUpOpening())
  }

  /** How many places each route may keep while others wait. */
  get #share(): number {
    return Math.max(1, Math.floor(this.max / this.#routes))
  }

  /** Whether there are more busy routes than places. */
  get #isCrowded(): boolean {
    return this.#routes > this.max
  }

  get #routes(): number {
    let routes = this.#places.size
    for (const waiting of this.#waiting) if (!this.#places.has(waiting)) routes++
    return routes
  }

  #placesOf(tenant: Tenant): number {
    return this.#places.get(tenant) ?? 0
  }
}

/**
 * Shared by all transporters of a process, unless `pool.maxConnections` gives one its own budget. Postmark advises at
 * most 10 connections per IP address.
 */
export const processBudget: ConnectionBudget = new ConnectionBudget(10)
