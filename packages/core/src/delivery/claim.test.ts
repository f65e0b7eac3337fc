import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemorySendOnce, type SendOnceStore } from '../index.js'
import { Claim, type Claimed, type Settled } from './claim.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const LEASE = 30_000
const ANN = ['ann@example.com']
const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

/** A store in memory, whose methods a test can replace, with the calls that it got. */
function setUp(replaced: Partial<SendOnceStore> = {}) {
  const memory = createMemorySendOnce()
  const calls: string[] = []
  const store: SendOnceStore = {
    claim: (key, request) => (replaced.claim ?? memory.claim.bind(memory))(key, request),
    renew: (key, owner, ms) => {
      calls.push('renew')
      return (replaced.renew ?? memory.renew.bind(memory))(key, owner, ms)
    },
    settle: (key, owner, state, info) => {
      calls.push(state)
      return (replaced.settle ?? memory.settle.bind(memory))(key, owner, state, info)
    },
    resolve: memory.resolve.bind(memory),
    unknowns: memory.unknowns.bind(memory),
  }
  const create = () => new Claim({ store, leaseMs: LEASE, timeoutMs: 5_000 }, 'key')
  const take = (claim: Claim, recipients: readonly string[] = ANN, stream = 'outbound') => {
    const results: Claimed[] = []
    claim.take(recipients, stream, (claimed) => results.push(claimed))
    return results
  }
  const settle = (claim: Claim, state: Settled) => {
    const results: boolean[] = []
    claim.settle(state, undefined, (settled) => results.push(settled))
    return results
  }
  const held = async () => {
    const claim = create()
    const results = take(claim)
    await pass(0)
    expect(results).toEqual([{ kind: 'held' }])
    return claim
  }
  return { memory, calls, create, take, settle, held, replaced }
}

describe('the fence', () => {
  it('is closed before the claim, open after it, and closed after the settlement', async () => {
    const { create, take, settle } = setUp()
    const claim = create()
    expect(claim.isSafe).toBe(false)
    take(claim)
    expect(claim.isSafe).toBe(false)
    await pass(0)
    expect(claim.isSafe).toBe(true)
    settle(claim, 'sent')
    expect(claim.isSafe).toBe(false)
  })

  it('stays open for as long as renewals succeed, each third of the lease', async () => {
    const { held, calls } = setUp()
    const claim = await held()
    for (let third = 0; third < 30; third++) {
      await pass(LEASE / 3)
      expect(claim.isSafe).toBe(true)
    }
    expect(calls).toHaveLength(30)
  })

  it('closes when a tenth of the lease is left, though no timer has fired', async () => {
    const { held } = setUp({ renew: () => Promise.reject(new Error('down')) })
    const claim = await held()
    await pass(0.9 * LEASE - 1)
    expect(claim.isSafe).toBe(true)
    await pass(1)
    expect(claim.isSafe).toBe(false)
  })

  it('counts from when the claim and a renewal were asked for, not from when they were answered', async () => {
    const { memory, create, take, replaced } = setUp({
      claim: async (key, request) => {
        const answer = memory.claim(key, request)
        await new Promise((resolve) => setTimeout(resolve, 4_000))
        return answer
      },
      renew: async (key, owner, ms) => {
        const answer = memory.renew(key, owner, ms)
        await new Promise((resolve) => setTimeout(resolve, 9_000))
        return answer
      },
    })
    const claim = create()
    take(claim)
    // Claimed at 0, answered at 4 s; renewed at 14 s, answered at 23 s.
    await pass(23_000)
    replaced.renew = () => Promise.reject(new Error('down'))
    await pass(14_000 + 0.9 * LEASE - 23_000 - 1)
    expect(claim.isSafe).toBe(true)
    await pass(1)
    expect(claim.isSafe).toBe(false)
  })

  it('opens again where a later renewal succeeds in time', async () => {
    const { memory, held, replaced } = setUp({ renew: () => Promise.reject(new Error('down')) })
    const claim = await held()
    await pass(0.95 * LEASE)
    expect(claim.isSafe).toBe(false)
    replaced.renew = (key, owner, ms) => memory.renew(key, owner, ms)
    // The lease in the store is over when the next renewal comes.
    await pass(0.05 * LEASE)
    expect(claim.isSafe).toBe(false)
    const [unknown] = await all(memory.unknowns())
    expect(unknown).toBeDefined()
  })

  it('closes for good once the store has said no, whatever late answer comes after that', async () => {
    let answerLate: (renewed: boolean) => void = () => {}
    const late = new Promise<boolean>((resolve) => {
      answerLate = resolve
    })
    const { held, replaced, calls } = setUp({ renew: () => late })
    const claim = await held()
    await pass(LEASE / 3)
    replaced.renew = () => false
    await pass(LEASE / 3)
    expect(claim.isSafe).toBe(false)
    answerLate(true)
    await pass(0)
    expect(claim.isSafe).toBe(false)
    await pass(LEASE)
    expect(calls).toHaveLength(2)
  })

  it('closes where somebody has resolved the claim of a process that stood still', async () => {
    const { memory, held, replaced } = setUp({ renew: () => new Promise(() => {}) })
    const claim = await held()
    await pass(LEASE)
    for await (const { id } of memory.unknowns()) await memory.resolve(id, 'released')
    delete replaced.renew
    await pass(LEASE / 3)
    expect(claim.isSafe).toBe(false)
  })
})

describe('a claim', () => {
  it('is refused while another has the key, and when it is sent, unknown, or another email\u2019s', async () => {
    const { create, take, held, settle } = setUp()
    const first = await held()
    const results = async (recipients?: readonly string[], stream?: string) => {
      const found = take(create(), recipients, stream)
      await pass(0)
      return found
    }
    expect(await results()).toMatchObject([
      { error: { code: 'ERR_POSTMARK_ONCE_HELD', outcome: 'not-sent', forMs: LEASE } },
    ])
    for (const other of [results(['bob@example.com']), results(ANN, 'broadcast')])
      expect(await other).toMatchObject([
        { error: { code: 'ERR_POSTMARK_ONCE_CONFLICT', outcome: 'not-sent' } },
      ])
    settle(first, 'unknown')
    await pass(7)
    expect(await results()).toMatchObject([
      { error: { code: 'ERR_POSTMARK_ONCE_UNKNOWN', outcome: 'unknown', sinceMs: 7, reference: 'key' } },
    ])
    settle(first, 'sent')
    expect(await results()).toMatchObject([{ error: { code: 'ERR_POSTMARK_ONCE_UNKNOWN' } }])
  })

  it('knows the same email by its recipients, in whatever order and case', async () => {
    const { create, take, settle } = setUp()
    const first = create()
    take(first, ['ann@example.com', 'Bob@Example.com'])
    await pass(0)
    settle(first, 'sent')
    const second = take(create(), ['bob@example.com', 'ANN@example.com', 'bob@example.com'])
    await pass(0)
    expect(second).toMatchObject([{ kind: 'sent' }])
  })

  it('is refused where the store throws, rejects, or gives an answer that is none', async () => {
    const failing: SendOnceStore['claim'][] = [
      () => {
        throw new Error('down')
      },
      () => Promise.reject(new Error('down')),
      () => undefined as never,
      () => ({}) as never,
    ]
    for (const claim of failing) {
      const { create, take } = setUp({ claim })
      const results = take(create())
      await pass(0)
      expect(results).toMatchObject([{ error: { code: 'ERR_POSTMARK_ONCE_STORE', outcome: 'not-sent' } }])
    }
  })

  it('whose answer was lost is released', async () => {
    const { memory, create, take, calls } = setUp({
      claim: (key, request) => {
        void memory.claim(key, request)
        throw new Error('the connection was lost')
      },
    })
    const results = take(create())
    await pass(0)
    expect(results).toMatchObject([{ kind: 'refused' }])
    expect(calls).toEqual(['released'])
    expect(memory.claim('key', { owner: 'x', leaseMs: 1, reference: 'r', fingerprint: 'f' })).toBe('claimed')
  })

  it('that is answered late is refused in time, and released when the answer comes', async () => {
    const { memory, create, take, calls } = setUp({
      claim: async (key, request) => {
        await new Promise((resolve) => setTimeout(resolve, 60_000))
        return memory.claim(key, request)
      },
    })
    const claim = create()
    const results = take(claim)
    await pass(4_999)
    expect(results).toEqual([])
    await pass(1)
    expect(results).toMatchObject([{ error: { code: 'ERR_POSTMARK_ONCE_STORE' } }])
    expect(results[0]).toHaveProperty('error.message', expect.stringContaining('within 5 s'))
    await pass(60_000)
    expect(calls).toEqual(['released'])
    expect(claim.isSafe).toBe(false)
    expect(results).toHaveLength(1)
  })

  it('that is given up while it is asked for is released when the answer comes, and nobody is told', async () => {
    const { memory, create, take, settle, calls } = setUp({
      claim: async (key, request) => {
        await new Promise((resolve) => setTimeout(resolve, 1_000))
        return memory.claim(key, request)
      },
    })
    const claim = create()
    const results = take(claim)
    expect(settle(claim, 'released')).toEqual([true])
    // Only the store is at work: nothing of ours keeps the process alive until it has answered.
    expect(vi.getTimerCount()).toBe(1)
    await pass(10_000)
    expect(results).toEqual([])
    expect(calls).toEqual(['released'])
  })
})

describe('a settlement', () => {
  it('is told once, after the store knows it, and renewals end', async () => {
    const { held, settle, calls } = setUp()
    const claim = await held()
    const results = settle(claim, 'sent')
    expect(results).toEqual([])
    await pass(10 * LEASE)
    expect(results).toEqual([true])
    expect(calls).toEqual(['sent'])
  })

  it('that fails is told as such, and tried again until it succeeds', async () => {
    const { memory, held, settle, calls, replaced } = setUp({
      settle: () => Promise.reject(new Error('down')),
    })
    const results = settle(await held(), 'sent')
    await pass(0)
    expect(results).toEqual([false])
    await pass(60_000)
    expect(calls.length).toBeGreaterThan(3)
    replaced.settle = (key, owner, state) => memory.settle(key, owner, state)
    await pass(30_000)
    const tried = calls.length
    await pass(600_000)
    expect(calls).toHaveLength(tried)
    expect(results).toEqual([false])
    expect(memory.claim('key', { owner: 'x', leaseMs: 1, reference: 'r', fingerprint: 'f' })).toBe('conflict')
    expect(await all(memory.unknowns())).toEqual([])
  })

  it('that is not answered is told as failed in time, and tried again', async () => {
    const { held, settle, calls } = setUp({ settle: () => new Promise(() => {}) })
    const results = settle(await held(), 'sent')
    await pass(4_999)
    expect(results).toEqual([])
    await pass(1)
    expect(results).toEqual([false])
    await pass(10_000)
    expect(calls.length).toBeGreaterThan(1)
  })

  it('is not tried for ever', async () => {
    const { held, settle } = setUp({ settle: () => Promise.reject(new Error('down')) })
    settle(await held(), 'sent')
    await pass(3_600_000)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('of a claim that was lost reaches the store all the same: what was sent was sent', async () => {
    const { memory, held, settle } = setUp({ renew: () => false })
    const claim = await held()
    await pass(LEASE)
    for await (const { id } of memory.unknowns()) await memory.resolve(id, 'released')
    expect(settle(claim, 'sent')).toEqual([])
    await pass(0)
    expect(memory.claim('key', { owner: 'x', leaseMs: 1, reference: 'r', fingerprint: 'f' })).toMatchObject({
      sent: true,
    })
  })

  it('to sent that the store denies is told as failed', async () => {
    const { held, settle } = setUp({ settle: () => false })
    const results = settle(await held(), 'sent')
    await pass(0)
    expect(results).toEqual([false])
  })
})
