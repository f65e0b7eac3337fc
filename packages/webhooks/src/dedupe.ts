import { createHash } from 'node:crypto'
import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import { WEBHOOK_HEADERS } from '@postmark-smtp/core/pure'
import type { WebhookEvent } from './webhook-event.js'

/**
 * Remembers which events were handled, for all processes that share it. A key is claimed while its event is handled,
 * and confirmed afterwards, so that a duplicate which comes meanwhile is not taken for handled.
 */
export interface DedupeStore {
  /**
   * Takes a key, atomically. `new`: it is ours now, for at most so long. `busy`: somebody else has it.
   * `done`: its event was handled.
   */
  claim(key: string, leaseMs: number): ClaimResult | Promise<ClaimResult>
  /** Notes that the event of a key was handled, and keeps that for so long. */
  confirm(key: string, ttlMs: number): unknown
  /** Gives a key back, since its event was not handled. */
  release(key: string): unknown
}

/** What {@link DedupeStore.claim} found. */
export type ClaimResult = 'new' | 'busy' | 'done'

/** What {@link createMemoryDedupe} takes. */
export interface MemoryDedupeOptions {
  /** How many events it remembers at most; the oldest go first. Default 100,000, about 20 MB. */
  readonly maxKeys?: number | undefined
}

/**
 * A store for one process. Several processes need one that they share: docs/webhooks.md has it for Redis.
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
 * What distinguishes an event from others: the trace ID, which is the same in each retry; without one the mail, the
 * address, the time and the type. Hashed, since a store need not know addresses. Undefined where nothing does.
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
