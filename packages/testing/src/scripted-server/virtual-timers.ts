/** The longest time that Node's timers accept. */
const LONGEST_MS = 2 ** 31 - 1

/** The parts of a timer. */
interface TimerPlan {
  readonly act: () => void
  readonly ms: number
  readonly repeats?: boolean
  /** Whether the test itself created it, and not the code under test. */
  readonly own?: boolean
}

/** A timer of a virtual clock, with the interface of Node's timers. */
export class VirtualTimer {
  readonly #timers: VirtualTimers
  readonly #lengthMs: number
  readonly act: () => void
  readonly repeats: boolean
  readonly own: boolean
  /** Where it was created: its stack is formatted only when it is read. */
  readonly made: Error | undefined
  #referenced = true
  #cleared = false
  dueMs = 0

  constructor(timers: VirtualTimers, { act, ms, repeats = false, own = false }: TimerPlan) {
    this.#timers = timers
    // As in Node: a delay that is too long fires after 1 ms.
    this.#lengthMs = own ? ms : ms >= 1 && ms <= LONGEST_MS ? Math.trunc(ms) : 1
    this.act = act
    this.repeats = repeats
    this.own = own
    this.made = own ? undefined : new Error('The timer was made here')
  }

  /** Waits its whole length from now on, even if it has already fired. */
  refresh(): this {
    if (this.#cleared) return this
    this.#timers.delete(this)
    this.dueMs = this.#timers.nowMs + this.#lengthMs
    this.#timers.insert(this)
    return this
  }

  close(): this {
    this.#cleared = true
    this.#timers.delete(this)
    return this
  }

  ref(): this {
    this.#referenced = true
    return this
  }

  unref(): this {
    this.#referenced = false
    return this
  }

  hasRef(): boolean {
    return this.#referenced
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** The timers of a virtual clock, in the order in which they fire. */
export class VirtualTimers {
  #queue: VirtualTimer[] = []
  nowMs = 0

  get pending(): readonly VirtualTimer[] {
    return this.#queue
  }

  start(plan: TimerPlan): VirtualTimer {
    return new VirtualTimer(this, plan).refresh()
  }

  insert(timer: VirtualTimer): void {
    let index = this.#queue.length
    while (index > 0 && this.#queue[index - 1]!.dueMs > timer.dueMs) index -= 1
    this.#queue.splice(index, 0, timer)
  }

  delete(timer: VirtualTimer): void {
    const index = this.#queue.indexOf(timer)
    if (index >= 0) this.#queue.splice(index, 1)
  }

  /** Fires the next timer that is due by then; returns false if there is none. */
  fireNext(limitMs: number): boolean {
    const [timer] = this.#queue
    if (!timer || timer.dueMs > limitMs) return false
    this.#queue.shift()
    this.nowMs = Math.max(this.nowMs, timer.dueMs)
    if (timer.repeats) timer.refresh()
    attempt(timer.act)
    return true
  }
}

/** Runs a callback of the clock; nothing catches what it throws, as with Node's timers. */
export function attempt(act: () => void): void {
  try {
    act()
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}
