import { deliveryOutcome } from '@postmark-smtp/core'

const LONGEST_MS = 3_600_000

/**
 * The pause before a job's next attempt, for `settings.backoffStrategy` of a Worker of your own: 30 s after a first
 * deferral (4xx) and 5 s after a mail that did not get through, twice as long each time, up to an hour, and shortened at
 * random by up to a half. Jobs name it with `backoff: { type: 'mail' }`; `createMailWorker` has it already.
 * @example new Worker(name, createMailProcessor(options), { connection, settings: { backoffStrategy: mailBackoff } })
 * @returns milliseconds
 */
export function mailBackoff(attemptsMade: number, _type?: string, error?: unknown): number {
  const cause = (error as Error | undefined)?.cause ?? error
  const firstMs = deliveryOutcome(cause) === 'deferred' ? 30_000 : 5_000
  const ms = Math.min(LONGEST_MS, firstMs * 2 ** Math.max(0, attemptsMade - 1))
  return Math.round(ms * (0.5 + Math.random() / 2))
}
