import { setTimeout as sleep } from 'node:timers/promises'

/** How a call to the API is repeated. */
export interface RepeatSettings {
  readonly attempts: number
  readonly baseMs: number
  readonly signal: AbortSignal | undefined
}

/** The longest pause between two attempts. */
const LONGEST_PAUSE_MS = 30_000

/**
 * Repeats a call until it succeeds, as long as its error may pass. Each pause is random, up to a limit that doubles.
 * @throws the last error of the call, or the reason of the signal
 */
export async function repeat<T>(call: () => Promise<T>, settings: RepeatSettings): Promise<T> {
  const { attempts, baseMs, signal } = settings
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await untilAborted(call(), signal)
    } catch (error) {
      if (attempt >= attempts || !mayPass(error)) throw error
    }
    await pause(Math.random() * Math.min(LONGEST_PAUSE_MS, baseMs * 2 ** (attempt - 1)), signal)
  }
}

/** Whether the next attempt may succeed: after 408, 429, 5xx, or no reply at all. */
export function mayPass(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  const { statusCode = 0 } = error as { statusCode?: unknown }
  return statusCode === 0 || statusCode === 408 || statusCode === 429 || Number(statusCode) >= 500
}

/** Waits. @throws the reason of the signal */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted())
}

/** The official client accepts no signal, so a call that is under way is left to end on its own. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await work
  let stop = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
