import { optionError, refuseUnknown } from '../problems/check-options.js'
import type {
  SendOnceClaim,
  SendOnceInfo,
  SendOnceResolution,
  SendOnceStore,
  SendOnceUnknown,
} from './send-once-store.js'

/** Options of {@link createMemorySendOnce}. */
export interface MemorySendOnceOptions {
  /** How long a key is remembered after its last change, in milliseconds. Default 604,800,000, a week. */
  readonly ttlMs?: number | undefined
  /**
   * The maximum number of keys. At the limit, new keys are refused, because forgetting a key would mean sending its
   * mail again. Default 100,000, which takes about 150 MB.
   */
  readonly maxKeys?: number | undefined
}

const WEEK_MS = 604_800_000

interface Entry {
  state: 'claimed' | 'unknown' | 'sent'
  owner: string
  /** Distinguishes the claims of one owner. */
  claims: number
  reference: string
  fingerprint: string | undefined
  /** When the lease ends. */
  until: number
  /** The last sign of life of the sender. */
  touchedAt: number
  info: SendOnceInfo | undefined
  resolution: SendOnceResolution | undefined
}

/**
 * Creates a send-once store in the memory of this process. It forgets everything when the process ends, so it only
 * guards against a second call in the same process. To share keys between processes, use `createRedisSendOnce` from
 * `@postmark-smtp/redis`.
 * @example createPostmarkTransport({ serverToken, sendOnce: createMemorySendOnce() })
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function createMemorySendOnce(options: MemorySendOnceOptions = {}): SendOnceStore {
  refuseUnknown(options, ['ttlMs', 'maxKeys'])
  const { ttlMs = WEEK_MS, maxKeys = 100_000 } = options
  if (typeof ttlMs !== 'number' || !(ttlMs >= 1))
    throw optionError('ttlMs', ttlMs, 'a number of milliseconds, at least 1')
  if (!Number.isInteger(maxKeys) || maxKeys < 1)
    throw optionError('maxKeys', maxKeys, 'an integer of at least 1')
  return new MemorySendOnce(ttlMs, maxKeys)
}

class MemorySendOnce implements SendOnceStore {
  /** Ordered by last change, so the first key is the first to be forgotten. */
  readonly #entries = new Map<string, Entry>()
  readonly #ttlMs: number
  readonly #maxKeys: number

  constructor(ttlMs: number, maxKeys: number) {
    this.#ttlMs = ttlMs
    this.#maxKeys = maxKeys
  }

  claim(key: string, request: Parameters<SendOnceStore['claim']>[1]): SendOnceClaim {
    const { owner, leaseMs, reference, fingerprint } = request
    const now = performance.now()
    const entry = this.#find(key, now)
    if (entry) {
      if (entry.fingerprint !== undefined && entry.fingerprint !== fingerprint) return 'conflict'
      if (entry.state === 'sent') return { sent: true, info: entry.info, resolution: entry.resolution }
      const isOwn = entry.state === 'claimed' && entry.owner === owner
      if (!isOwn) {
        return isUnknown(entry, now)
          ? { unknown: true, sinceMs: Math.floor(now - entry.touchedAt), reference: entry.reference }
          : { held: true, forMs: Math.ceil(entry.until - now) }
      }
      // A lookup that began while the lease had expired must not decide about this claim.
      if (isUnknown(entry, now)) entry.claims++
      entry.until = now + leaseMs
      this.#touch(key, entry, now)
      return 'claimed'
    }
    if (this.#entries.size >= this.#maxKeys) {
      throw new Error(
        `The store holds ${this.#maxKeys} keys, the maximum set by maxKeys. Use a store that processes share, or a shorter ttlMs.`,
      )
    }
    const until = now + leaseMs
    this.#touch(key, { ...fresh(owner), state: 'claimed', reference, fingerprint, until }, now)
    return 'claimed'
  }

  renew(key: string, owner: string, leaseMs: number): boolean {
    const now = performance.now()
    const entry = this.#find(key, now)
    if (entry?.owner !== owner || entry.state !== 'claimed' || isUnknown(entry, now)) return false
    entry.until = now + leaseMs
    this.#touch(key, entry, now)
    return true
  }

  settle(key: string, owner: string, state: 'sent' | 'unknown' | 'released', info?: SendOnceInfo): boolean {
    const now = performance.now()
    const entry = this.#find(key, now)
    if (state === 'sent') {
      // The first email sent is the one that counts.
      if (entry?.state !== 'sent')
        this.#touch(key, { ...(entry ?? fresh(owner)), state: 'sent', owner, info }, now)
      return true
    }
    if (entry?.owner !== owner || entry.state !== 'claimed') return false
    if (state === 'released') return this.#entries.delete(key)
    entry.state = 'unknown'
    this.#touch(key, entry, now)
    return true
  }

  resolve(id: string, state: 'sent' | 'released', resolution?: SendOnceResolution): boolean {
    const now = performance.now()
    const key = id.slice(0, id.indexOf(' '))
    const entry = this.#find(key, now)
    if (!entry || !isUnknown(entry, now) || toId(key, entry) !== id) return false
    if (state === 'released') return this.#entries.delete(key)
    this.#touch(key, { ...entry, state: 'sent', resolution }, now)
    return true
  }

  async *unknowns(): AsyncGenerator<SendOnceUnknown, void> {
    const now = performance.now()
    this.#forget(now)
    for (const [key, entry] of [...this.#entries]) {
      if (!isUnknown(entry, now)) continue
      yield { id: toId(key, entry), reference: entry.reference, sinceMs: Math.floor(now - entry.touchedAt) }
    }
  }

  #find(key: string, now: number): Entry | undefined {
    this.#forget(now)
    return this.#entries.get(key)
  }

  /** Forgets keys older than the time to live. */
  #forget(now: number): void {
    for (const [key, { touchedAt, until, state }] of this.#entries) {
      if (touchedAt + this.#ttlMs > now || (state === 'claimed' && until > now)) return
      this.#entries.delete(key)
    }
  }

  #touch(key: string, entry: Entry, now: number): void {
    this.#entries.delete(key)
    this.#entries.set(key, Object.assign(entry, { touchedAt: now }))
  }
}

function fresh(owner: string): Entry {
  return {
    state: 'sent',
    owner,
    claims: 1,
    reference: '',
    fingerprint: undefined,
    until: 0,
    touchedAt: 0,
    info: undefined,
    resolution: undefined,
  }
}

function isUnknown({ state, until }: Entry, now: number): boolean {
  return state === 'unknown' || (state === 'claimed' && until <= now)
}

function toId(key: string, { owner, claims }: Entry): string {
  return `${key} ${owner} ${claims}`
}
