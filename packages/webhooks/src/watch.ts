import { optionError } from '@postmark-smtp/core/internal'
import type { BounceClient } from './bounce-client.js'
import { type Reconciliation, reconcile } from './reconcile.js'
import type { ReconcileOptions } from './reconcile-settings.js'
import { readNumber } from './reconcile-settings.js'
import { mayPass, pause } from './repeat.js'

/** Options of {@link watch}. An unknown option throws. */
export interface WatchOptions extends Omit<ReconcileOptions, 'until' | 'since' | 'signal'> {
  /** Where to begin for a stream that is not in the cursor. Default: now. */
  readonly since?: Date | undefined
  /** The pause between two runs, in milliseconds. Default 60,000. */
  readonly intervalMs?: number | undefined
  /** Called if a run fails for a reason that may pass; the next run catches up. Default: none. */
  readonly onError?: ((error: Error) => void) | undefined
  /** Ends the loop, without an error. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Repeats {@link reconcile} until its signal aborts, and returns each bounce once.
 * @example
 * const watching = watch(client, { streams: ['outbound'], cursor: await load(), signal })
 * for await (const event of watching) {
 *   await handle(event)
 *   await save(watching.cursor)
 * }
 * @throws PostmarkError ERR_POSTMARK_OPTIONS immediately; ERR_POSTMARK_BOUNCES in the loop if waiting would not help
 */
export function watch(client: BounceClient, options: WatchOptions): Reconciliation {
  const { intervalMs: interval, onError, ...rest } = options
  const intervalMs = readNumber('intervalMs', interval, 60_000, 1, 2 ** 31 - 1)
  if (onError !== undefined && typeof onError !== 'function')
    throw optionError('onError', onError, 'a function')
  // Without `until`, each loop over it reads up to its own current time.
  const run = reconcile(client, { since: new Date(), ...rest })
  return {
    get cursor() {
      return run.cursor
    },
    async *[Symbol.asyncIterator]() {
      const { signal } = options
      while (!signal?.aborted) {
        try {
          yield* run
          await pause(intervalMs, signal)
        } catch (error) {
          if (signal?.aborted) return
          if (!mayPass((error as Error).cause)) throw error
          tell(onError, error as Error)
          await pause(intervalMs, signal).catch(() => {})
        }
      }
    },
  }
}

function tell(onError: ((error: Error) => unknown) | undefined, error: Error): void {
  try {
    onError?.(error)
  } catch {
    // An error in onError must not end the watch.
  }
}
