import type { SendOnceSettings } from '../delivery/claim.js'
import type { SendOnceStore } from '../delivery/send-once-store.js'
import { optionError } from '../problems/check-options.js'
import { isRecord } from '../problems/describe.js'
import { readNumbers } from './option-numbers.js'

/**
 * Reads the option `sendOnce`: a store, or an object with a store and its times.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function readSendOnce(given: unknown): SendOnceSettings | undefined {
  if (given === undefined) return undefined
  if (isStore(given)) return { store: given, leaseMs: 30_000, timeoutMs: 5_000 }
  if (!isRecord(given) || !isStore(given.store)) {
    const wanted = 'a send-once store such as createMemorySendOnce(), or { store, leaseMs }'
    throw optionError(
      isRecord(given) ? 'sendOnce.store' : 'sendOnce',
      isRecord(given) ? given.store : given,
      wanted,
    )
  }
  const { store, ...times } = given
  const read = readNumbers('sendOnce', times, { leaseMs: 30_000, timeoutMs: 5_000 }, ['store'])
  if (read.leaseMs < 1_000)
    throw optionError('sendOnce.leaseMs', read.leaseMs, 'a number of milliseconds, at least 1,000')
  return { store, ...read }
}

function isStore(value: unknown): value is SendOnceStore {
  const store = value as Partial<SendOnceStore> | null | undefined
  return [store?.claim, store?.renew, store?.settle, store?.resolve, store?.unknowns].every(
    (method) => typeof method === 'function',
  )
}
