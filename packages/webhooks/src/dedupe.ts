import { createHash } from 'node:crypto'
import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import { WEBHOOK_HEADERS } from '@postmark-smtp/core/pure'
import type { WebhookEvent } from './webhook-event.js'

/**
 * Remembers which events were handled, for all processes that share it. A key is claimed while its event is being
 * handled and confirmed afterwards, so a duplicate that arrives in between does not count as handled.
 */
export interface DedupeStore {
  /**
   * Claims a key, atomically. Returns `new` if the caller now holds it, for at most `leaseMs`; `busy` if another caller
   * holds it; `done` if its event was handled.
   */
  claim(key: string, leaseMs: number): ClaimResult | Promise<ClaimResult>
  /** Records for `ttlMs` that the event of a key was handled. */
  confirm(key: string, ttlMs: number): unknown
  /** Releases a key because its event was not handled. */
  release(key: string): unknown
}

/** The result of {@link DedupeStore.claim}. */
export type ClaimResult = 'new' | 'busy' | 'done'

/** Options of {@link createMemoryDedupe}. */
export interface MemoryDedupeOptions {
  /** The maximum number of events to remember; the oldest are forgotten first. Default 100,000, about 20 MB. */
  readonly maxKeys?: number | undefined
}

/**
 * Creates a store for one process. Several processes need a shared store: for Redis, see docs/webhooks.md.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function createMemoryDedupe(options: MemoryDedupeOptions = {}): DedupeStore {
  refuseUnknown(options, ['maxKeys'])
  const { maxKeys = 100_000 } = options
  if (!Number.isInteger(maxKeys) || maxKeys < 1)
    throw optionError('maxKeys', maxKeys, 'a number of 1 or more')
  const entries = new Map<string, { readonly state: 'busy' | 'done'; readonly until: number }>()
  const put = (key: string, state: 'busy' | 'done', forMs: number) => {
    entries.delete(key)
    entries.set(key, { state, until: performance.now() + forMs })
    const [oldest] = entries.keys()
    if (entries.size > maxKeys && oldest !== undefined) entries.delete(oldest)
  }
  return {
    claim(key, leaseMs) {
      const entry = entries.get(key)
      if (entry && entry.until > performance.now()) return entry.state
      put(key, 'busy', leaseMs)
      return 'new'
    },
    confirm: (key, ttlMs) => put(key, 'done', ttlMs),
    release: (key) => entries.delete(key),
  }
}

/**
 * The key of an event: the trace ID, which is the same in each retry, or else the email, the address, the time and the
 * type. It is hashed, because a store does not need to know addresses. Undefined if the event has none of these.
 */
export function dedupeKey(headers: Headers, event: WebhookEvent): string | undefined {
  const trace = headers.get(WEBHOOK_HEADERS.traceId)
  if (trace) return hash([trace])
  const { messageId, recipient, recordType, test, raw } = event
  const time = raw.DeliveredAt ?? raw.BouncedAt ?? raw.ReceivedAt ?? raw.ChangedAt ?? raw.Date
  const isDistinct = [messageId, recipient, time].some((part) => part !== undefined)
  // Test posts are all alike.
  return test || !isDistinct
    ? undefined
    : hash([messageId, recipient, time, recordType, raw.RecordType, raw.Type])
}

function hash(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}
