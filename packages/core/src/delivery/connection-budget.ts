/** Somebody who opens connections: a route. */
export interface Tenant {
  /** Ends a connection that does nothing, to make room; false where there is none. */
  closeIdle(): boolean
  /** A place is free: take it now, or leave it to others. */
  onPlace(): void
}

/** For how many mails, and how long, a route keeps its only place while others wait: a login costs as much as some mails. */
const MOST_MAILS = 20
const LONGEST_MS = 5_000

/**
 * How many connections may be open at once, over all routes. A route has a share of the places as long as others wait;
 * above it, a place is given up when its mail is done. Only routes with a place, or that wait for one, are held here.
 */
export class ConnectionBudget {
  readonly max: number
  readonly #places = new Map<Tenant, number>()
  readonly #waiting = new Set<Tenant>()
  #used = 0

  constructor(max: number) {
    this.max = max
  }

  /** Takes a place. Where none is free, an idle connection of another route makes room, and `onPlace` is called later. */
  take(tenant: Tenant): boolean {
    if (this.#used >= this.max) {
      if (!this.#waiting.has(tenant)) {
        this.#waiting.add(tenant)
        for (const other of this.#places.keys()) if (other !== tenant && other.closeIdle()) break
      }
      return false
    }
    this.#waiting.delete(tenant)
    this.#used++
    this.#places.set(tenant, this.#placesOf(tenant) + 1)
    return true
  }

  /** Gives a place back, and offers it to those who wait: those with the fewest places first, and whoever gave it back last. */
  release(tenant: Tenant): void {
    this.#used--
    const left = this.#placesOf(tenant) - 1
    if (left > 0) this.#places.set(tenant, left)
    else this.#places.delete(tenant)
    // It waits since it has had mails, perhaps for longer than others: a place that it gave up for them would be its own again.
    if (this.#waiting.delete(tenant)) this.#waiting.add(tenant)
    // Whoever does not get a place waits again.
    for (const waiting of [...this.#waiting].sort((a, b) => this.#placesOf(a) - this.#placesOf(b))) {
      if (this.#used >= this.max) return
      this.#waiting.delete(waiting)
      waiting.onPlace()
    }
  }

  /** Waits no longer. */
  leave(tenant: Tenant): void {
    this.#waiting.delete(tenant)
  }

  /** Whether another route waits for a place: then no connection may be kept that does nothing. */
  isWanted(tenant: Tenant): boolean {
    return this.#waiting.size > (this.#waiting.has(tenant) ? 1 : 0)
  }

  /** Whether a route must give up a place after this mail, which it has had for so many mails and so long. */
  mustYield(tenant: Tenant, mails: number, heldMs: number): boolean {
    if (this.#waiting.size === 0) return false
    const routes = new Set([...this.#places.keys(), ...this.#waiting])
    const share = Math.max(1, Math.floor(this.max / routes.size))
    const isShort = (waiting: Tenant) => waiting !== tenant && this.#placesOf(waiting) < share
    if (![...this.#waiting].some(isShort)) return false
    if (this.#placesOf(tenant) > share) return true
    return routes.size > this.max && (mails >= MOST_MAILS || heldMs >= LONGEST_MS)
  }

  #placesOf(tenant: Tenant): number {
    return this.#places.get(tenant) ?? 0
  }
}

/** What all transporters of a process share, unless `pool.maxConnections` gives one a budget of its own. Postmark advises at most 10 per IP address. */
export const processBudget: ConnectionBudget = new ConnectionBudget(10)
