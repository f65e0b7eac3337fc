import { attempt, VirtualTimer, VirtualTimers } from './virtual-timers.js'

/** A timer that has not fired yet. */
export interface PendingTimer {
  readonly dueMs: number
  /** Whether it would keep the process alive. */
  readonly referenced: boolean
  /** Where it was created. */
  readonly stack: string
}

/** Time that a test controls: the timers, the immediates, Date and performance.now() of this process follow it. */
export interface VirtualClock extends Disposable {
  /** Milliseconds since the clock was installed. */
  readonly nowMs: number
  /** The pending timers, except those of {@link VirtualClock.schedule}. */
  pending(): PendingTimer[]
  /** Sets a timer for the test itself; returns the function that cancels it. */
  schedule(ms: number, act: () => void): () => void
  /** Runs everything that is due now, including all ticks and promises that follow from it. */
  settle(): Promise<void>
  /** Lets time pass; everything that a timer causes is done before the next one fires. */
  advance(ms: number): Promise<void>
  /** Lets time pass until the condition is met; resolves to false if the limit or the last timer comes first. */
  advanceUntil(condition: () => boolean, limitMs: number): Promise<boolean>
  /** Restores the real time of the process. */
  uninstall(): void
}

const realImmediate = globalThis.setImmediate
/** Waits for one turn of the real event loop, after which every tick and every settled promise is done. */
const turn = () => new Promise<void>((resolve) => realImmediate(resolve))

/**
 * Replaces the clock of this process. It waits only for work that needs ticks, promises, timers and immediates: files,
 * real sockets and threads follow another clock.
 * @example
 * using clock = installVirtualClock()
 * const sending = transporter.sendMail(message)
 * await clock.advance(60_000)
 */
export function installVirtualClock(startMs: number = Date.UTC(2030, 0, 1)): VirtualClock {
  const timers = new VirtualTimers()
  const immediates = new Set<() => void>()
  const restore = replaceGlobals(timers, immediates, startMs)

  const settle = async () => {
    do {
      await turn()
      for (const act of [...immediates]) {
        if (!immediates.delete(act)) continue
        attempt(act)
        await turn()
      }
    } while (immediates.size > 0)
  }
  const advanceUntil = async (condition: () => boolean, limitMs: number) => {
    const end = timers.nowMs + limitMs
    await settle()
    while (!condition()) {
      if (!timers.fireNext(end)) return false
      await settle()
    }
    return true
  }
  return {
    get nowMs() {
      return timers.nowMs
    },
    pending: () =>
      timers.pending
        .filter(({ own }) => !own)
        .map((timer) => ({
          dueMs: timer.dueMs,
          referenced: timer.hasRef(),
          // Formatting a stack takes long.
          get stack() {
            return timer.made?.stack ?? ''
          },
        })),
    schedule: (ms, act) => {
      const timer = timers.start({ act, ms, own: true })
      return () => void timer.close()
    },
    settle,
    advance: async (ms) => {
      const end = timers.nowMs + ms
      await advanceUntil(() => false, ms)
      timers.nowMs = end
    },
    advanceUntil,
    uninstall: restore,
    [Symbol.dispose]: restore,
  }
}

type Callback = (...args: unknown[]) => void

/** Replaces the timers and the dates of the process with those of the clock; returns the function that undoes it. */
function replaceGlobals(timers: VirtualTimers, immediates: Set<() => void>, startMs: number): () => void {
  const start =
    (repeats: boolean) =>
    (callback: Callback, ms = 1, ...args: unknown[]) =>
      timers.start({ act: () => callback(...args), ms, repeats })
  const realStop = globalThis.clearTimeout
  const stop = (timer: unknown) => {
    if (timer instanceof VirtualTimer) timer.close()
    else realStop(timer as NodeJS.Timeout)
  }
  const replaced = {
    setTimeout: start(false),
    setInterval: start(true),
    clearTimeout: stop,
    clearInterval: stop,
    setImmediate: (callback: Callback, ...args: unknown[]) => {
      const act = () => callback(...args)
      immediates.add(act)
      return Object.assign(act, { ref: () => act, unref: () => act, hasRef: () => true })
    },
    clearImmediate: (act: () => void) => void immediates.delete(act),
    Date: virtualDate(() => startMs + timers.nowMs),
  }
  const names = Object.keys(replaced) as (keyof typeof replaced)[]
  const real = Object.fromEntries(names.map((name) => [name, globalThis[name]]))
  const realNow = performance.now
  Object.assign(globalThis, replaced)
  performance.now = () => timers.nowMs
  return () => {
    Object.assign(globalThis, real)
    performance.now = realNow
  }
}

/** The class Date with another current time. */
function virtualDate(now: () => number): DateConstructor {
  const virtual: DateConstructor = new Proxy(Date, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length > 0 ? args : [now()], newTarget === virtual ? target : newTarget),
    apply: (target) => new target(now()).toString(),
    get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
  })
  return virtual
}
