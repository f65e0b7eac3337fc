import type { HttpReply } from './http-post.js'

const MINUTE = 60_000

/**
 * The time before each retry, the same for every outbound event: three quick ones, then six more.
 * @see https://postmarkapp.com/developer/webhooks/webhooks-overview
 */
export const RETRY_DELAYS_MS: readonly number[] = [1, 5, 15, 1, 5, 10, 10, 10, 15].map((n) => n * MINUTE)

/** What a reply means: 2xx is done; no reply, 408, 429 and 5xx are retried; any other 4xx, 401 included, is final. */
export function judgeReply(
  reply: HttpReply,
  attempt: number,
): { outcome: 'done' | 'retry' | 'dropped'; delayMs: number } {
  const { status = 500 } = reply
  if (status >= 200 && status < 300) return { outcome: 'done', delayMs: 0 }
  const passes = status === 408 || status === 429 || status < 400 || status >= 500
  const delayMs = passes ? RETRY_DELAYS_MS[attempt - 1] : undefined
  return delayMs === undefined ? { outcome: 'dropped', delayMs: 0 } : { outcome: 'retry', delayMs }
}
