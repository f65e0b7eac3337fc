import { runSendOnceContract } from '@postmark-smtp/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemorySendOnce, type SendOnceStore } from '../index.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const request = { owner: 'ann', leaseMs: 1_000, reference: 'r', fingerprint: 'f' }

describe('the memory store', () => {
  runSendOnceContract({
    create: (ttlMs) => createMemorySendOnce({ ttlMs }) as SendOnceStore,
    pass: (ms) => vi.advanceTimersByTime(ms),
    leaseMs: 1_000,
  })

  it('refuses a new key at its bound, and forgets none for it', async () => {
    const store = createMemorySendOnce({ maxKeys: 2, ttlMs: 60_000 })
    await store.claim('a', request)
    await store.claim('b', request)
    await store.settle('a', 'ann', 'sent')
    expect(() => store.claim('c', request)).toThrow('holds 2 keys')
    expect(store.claim('a', request)).toMatchObject({ sent: true })
    expect(store.claim('b', request)).toBe('claimed')
    vi.advanceTimersByTime(60_000)
    expect(store.claim('c', request)).toBe('claimed')
  })

  it('does not forget a claim before its lease is over', async () => {
    const store = createMemorySendOnce({ ttlMs: 10 })
    await store.claim('a', request)
    vi.advanceTimersByTime(999)
    expect(store.claim('a', { ...request, owner: 'bob' })).toEqual({ held: true, forMs: 1 })
  })

  it('remembers a key for a week by default', async () => {
    const store = createMemorySendOnce()
    await store.claim('a', request)
    vi.advanceTimersByTime(7 * 86_400_000 - 1)
    expect(store.claim('a', { ...request, owner: 'bob' })).toMatchObject({ unknown: true })
    vi.advanceTimersByTime(1)
    expect(store.claim('a', { ...request, owner: 'bob' })).toBe('claimed')
  })

  it.each([
    [{ ttlMs: 0 }, 'ttlMs is'],
    [{ maxKeys: 1.5 }, 'maxKeys is'],
    [{ ttl: 1 }, 'Known options: ttlMs, maxKeys.'],
  ])('refuses the options %j', (options, message) => {
    expect(() => createMemorySendOnce(options as object)).toThrow(message)
  })
})
