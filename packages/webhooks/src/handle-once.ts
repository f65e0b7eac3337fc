import { setTimeout as sleep } from 'node:timers/promises'
import { PostmarkError } from '@postmark-smtp/core/pure'
import type { DedupeStore } from './dedupe.js'

/** Longer than Postmark waits for a reply. After a crash, an event is handled again when the lease is over. */
const LEASE_MS = 600_000
/** Postmark's last retry comes after about half a day. */
const TTL_MS = 86_400_000
/** The client of a database that is down may wait forever. */
const STORE_TIMEOUT_MS = 2000

/** What became of an event. `busy`: another caller is handling it. `failed`: the error was reported. */
export type Handled = 'handled' | 'duplicate' | 'busy' | 'failed'

/** The key of an event, and the store that may know it. */
export interface Claim {
  readonly store: DedupeStore
  readonly key: string
}

/**
 * Handles an event unless it was handled before. If the store fails, the event is handled without it.
 * @param claim undefined if duplicates cannot be recognised
 * @param report called with what the store or the handler throws
 */
export async function handleOnce(
  claim: Claim | undefined,
  handle: () => Promise<void>,
  report: (error: unknown) => void,
): Promise<Handled> {
  const ask = async <T>(question: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await withinTime(question)
    } catch (error) {
      report(error)
      return undefined
    }
  }
  const state = claim && (await ask(() => claim.store.claim(claim.key, LEASE_MS)))
  if (state === 'done') return 'duplicate'
  if (state === 'busy') return 'busy'
  const held = state === 'new' ? claim : undefined
  try {
    await handle()
  } catch (error) {
    report(error)
    if (held) await ask(() => held.store.release(held.key))
    return 'failed'
  }
  if (held) await ask(() => held.store.confirm(held.key, TTL_MS))
  return 'handled'
}

async function withinTime<T>(question: () => T | Promise<T>): Promise<T> {
  const stop = new AbortController()
  const timeout = sleep(STORE_TIMEOUT_MS, undefined, { signal: stop.signal, ref: false }).then(() => {
    throw new PostmarkError(
      'ERR_POSTMARK_WEBHOOK',
      `The dedupe store did not answer within ${STORE_TIMEOUT_MS} ms.`,
      {
        hint: 'The event is handled without the store, perhaps twice. Check the store.',
      },
    )
  })
  try {
    return await Promise.race([question(), timeout])
  } finally {
    stop.abort()
    timeout.catch(() => {})
  }
}
