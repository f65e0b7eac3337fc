import { deliveryOutcome } from '@postmark-smtp/core'

const LONGEST_MS = 3_600_000

/**
 * Calculates the pause before the next attempt of a job. Pass it to your own Worker as `settings.backoffStrategy`;
 * `createMailWorker` already uses it. A job selects it with `backoff: { type: 'mail' }`. The pause is 30 s after a first
 * deferral (4xx) and 5 s after any other failure. It doubles each time, up to an hour, and is shortened at random by up to
 * a half.
 * @example new Worker(name, createMailProcessor(options), { connection, settings: { backoffStrategy: mailBackoff } })
 * @returns milliseconds
 */
export function mailBackoff(attemptsMade: number, _type?: string, error?: unknown): number {
  const cause = (error as Error | undefined)?.cause ?? error
  const firstMs = deliveryOutcome(cause) === 'deferred' ? 30_000 : 5_000
  const ms = Math.min(LONGEST_MS, firstMs * 2 ** Math.max(0, attemptsMade - 1))
  return Math.round(ms * (0.5 + Math.random() / 2))
}
