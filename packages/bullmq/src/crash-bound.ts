import { randomUUID } from 'node:crypto'
import type { SendOnceStore } from '@postmark-smtp/core'
import { toOnceReference } from '@postmark-smtp/core/internal'

/**
 * Whether an email was never handed to a server under its key. If so, a job that keeps crashing its worker may fail.
 * Claims the key with a fingerprint that no email has. The store answers "conflict" if it knows the key, in any state. A
 * claim that it grants is released.
 */
export async function wasNeverSent(store: SendOnceStore, idempotencyKey: string): Promise<boolean> {
  const key = toOnceReference(idempotencyKey)
  const owner = randomUUID()
  const claim = await store.claim(key, { owner, leaseMs: 1_000, reference: key, fingerprint: 'none' })
  if (claim !== 'claimed') return false
  await store.settle(key, owner, 'released')
  return true
}
