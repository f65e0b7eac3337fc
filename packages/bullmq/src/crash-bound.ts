import { randomUUID } from 'node:crypto'
import type { SendOnceStore } from '@postmark-smtp/core'
import { toOnceReference } from '@postmark-smtp/core/internal'

/**
 * Whether a mail was never handed to a server under its key: then a job that keeps crashing its worker may be given up.
 * The store is asked by a claim for no mail. It answers "conflict" where it knows the key, whatever the state; a claim
 * that it grants is given back.
 */
export async function wasNeverSent(store: SendOnceStore, idempotencyKey: string): Promise<boolean> {
  const key = toOnceReference(idempotencyKey)
  const owner = randomUUID()
  const claim = await store.claim(key, { owner, leaseMs: 1_000, reference: key, fingerprint: 'none' })
  if (claim !== 'claimed') return false
  await store.settle(key, owner, 'released')
  return true
}
