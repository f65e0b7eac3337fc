import { optionError } from '@postmark-smtp/core/internal'
import type { BounceClient } from './bounce-client.js'
import { type Reconciliation, reconcile } from './reconcile.js'
import type { ReconcileOptions } from './reconcile-settings.js'
import { readNumber } from './reconcile-settings.js'
import { mayPass, pause } from './repeat.js'

/** What {@link watch} takes; an unknown option fails at once. */
export interface WatchOptions extends Omit<ReconcileOptions, 'until' | 'since' | 'signal'> {
  /** Where to begin, for a stream that the cursor does not have. Default: now. */
  readonly since?: Date | undefined
  /** The pause between two runs, in milliseconds. Default 60,000. */
  readonly intervalMs?: number | undefined
  /** Called with the error of a run that failed for a reason that may pass; the next run makes up for it. Default: none. */
  readonly onError?: ((error: Error) => void) | undefined
  /** Ends the loop, without an error. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Repeats {@link reconcile}, and hands out each bounce once, until its signal ends it.
 * @example
 * const watching = watch(client, { streams: ['outbound'], cursor: await load(), signal })
 * for await (const event of watching) {
 *   await handle(event)
 *   await save(watching.cursor)
 * }
 * @throws PostmarkError ERR_POSTMARK_OPTIONS at once; ERR_POSTMARK_BOUNCES in the loop, where waiting would not help
 */
export function watch(client: BounceClient, options: WatchOptions): Reconciliation {
  const { intervalMs: interval, onError, ...rest } = options
  const intervalMs = readNumber('intervalMs', interval, 60_000, 1, 2 ** 31 - 1)
  if (onError !== undefined && typeof onError !== 'function')
    throw optionError('onError', onError, 'a function')
  // Without an end, each loop over it is a run up to its own now.
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
    // What it throws must not end the watch.
  }
}
