import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** A send-once store, as core's contract defines it. */
export interface ContractStore {
  claim(
    key: string,
    request: { owner: string; leaseMs: number; reference: string; fingerprint: string },
  ): unknown
  renew(key: string, owner: string, leaseMs: number): unknown
  settle(key: string, owner: string, state: 'sent' | 'unknown' | 'released', info?: object): unknown
  resolve(id: string, state: 'sent' | 'released', resolution?: object): unknown
  unknowns(): AsyncIterable<{ readonly id: string; readonly reference: string; readonly sinceMs: number }>
}

/** Options of {@link runSendOnceContract}. */
export interface SendOnceContract {
  /** Returns an empty store that remembers keys for the given time. */
  create(ttlMs: number): ContractStore | Promise<ContractStore>
  /** Lets time pass on the clock of the store. */
  pass(ms: number): unknown
  /** A lease that the tests wait for, in milliseconds. */
  readonly leaseMs: number
}

/** Tests what every send-once store must do. */
export function runSendOnceContract({ create, pass, leaseMs }: SendOnceContract): void {
  const LONG = 604_800_000
  let store: ContractStore
  let count = 0
  const claim = (key: string, owner: string, more: { leaseMs?: number; fingerprint?: string } = {}) =>
    store.claim(key, { owner, leaseMs: 60_000, reference: `ref-${key}`, fingerprint: 'f', ...more })
  const unknowns = async (key: string) => {
    const found = []
    for await (const unknown of store.unknowns()) if (unknown.reference === `ref-${key}`) found.push(unknown)
    return found
  }
  const newKey = () => `key-${++count}`
  /** A key whose lease is over. */
  const expired = async (owner = 'ann') => {
    const key = newKey()
    await claim(key, owner, { leaseMs })
    await pass(leaseMs)
    return key
  }
  beforeAll(async () => {
    store = await create(LONG)
  })
  afterAll(async () => {
    const left = []
    for await (const { id } of store.unknowns()) left.push(id)
    for (const id of left) await store.resolve(id, 'released')
  })

  describe('a key that is free', () => {
    it('is claimed by the first owner, who has it when it asks again, and by no other', async () => {
      const key = newKey()
      expect(await claim(key, 'ann')).toBe('claimed')
      expect(await claim(key, 'ann')).toBe('claimed')
      const held = (await claim(key, 'bob')) as { held: true; forMs: number }
      expect(held).toEqual({ held: true, forMs: expect.any(Number) })
      expect(held.forMs).toBeGreaterThan(0)
      expect(held.forMs).toBeLessThanOrEqual(60_000)
    })

    it('is claimed by one of many who ask at once', async () => {
      const key = newKey()
      const claims = await Promise.all(Array.from({ length: 50 }, (_, n) => claim(key, `owner-${n}`)))
      expect(claims.filter((each) => each === 'claimed')).toHaveLength(1)
    })

    it('is free again for everybody once its owner has released it, and for nobody by the word of another', async () => {
      const key = newKey()
      await claim(key, 'ann')
      expect(await store.settle(key, 'bob', 'released')).toBe(false)
      expect(await claim(key, 'bob')).toMatchObject({ held: true })
      expect(await store.settle(key, 'ann', 'released')).toBe(true)
      expect(await store.settle(key, 'ann', 'released')).toBe(false)
      expect(await claim(key, 'bob', { fingerprint: 'other' })).toBe('claimed')
    })

    it('cannot be renewed, made unknown or released', async () => {
      const key = newKey()
      expect(await store.renew(key, 'ann', 60_000)).toBe(false)
      expect(await store.settle(key, 'ann', 'unknown')).toBe(false)
      expect(await store.settle(key, 'ann', 'released')).toBe(false)
      expect(await claim(key, 'bob')).toBe('claimed')
    })

    it('becomes sent when its sender says so, even if the store has lost the claim', async () => {
      const key = newKey()
      expect(await store.settle(key, 'ann', 'sent', { response: '250 ok' })).toBe(true)
      expect(await claim(key, 'bob')).toMatchObject({ sent: true, info: { response: '250 ok' } })
    })
  })

  describe('a key that is claimed', () => {
    it('is a conflict for another email, in each state', async () => {
      const key = newKey()
      await claim(key, 'ann')
      expect(await claim(key, 'bob', { fingerprint: 'other' })).toBe('conflict')
      await store.settle(key, 'ann', 'unknown')
      expect(await claim(key, 'bob', { fingerprint: 'other' })).toBe('conflict')
      await store.settle(key, 'ann', 'sent')
      expect(await claim(key, 'bob', { fingerprint: 'other' })).toBe('conflict')
      expect(await claim(key, 'bob')).toMatchObject({ sent: true })
    })

    it('keeps what is told of its email for those who ask again, and the first word counts', async () => {
      const key = newKey()
      await claim(key, 'ann')
      const info = { messageId: '<m@example.com>', response: '250 ok \u2713', accepted: 2, rejected: 0 }
      expect(await store.settle(key, 'ann', 'sent', info)).toBe(true)
      expect(await store.settle(key, 'ann', 'sent', { response: '250 again' })).toBe(true)
      expect(await store.settle(key, 'ann', 'released')).toBe(false)
      expect(await store.settle(key, 'ann', 'unknown')).toBe(false)
      expect(await store.renew(key, 'ann', 60_000)).toBe(false)
      expect(await claim(key, 'ann')).toMatchObject({ sent: true, info })
      expect(await unknowns(key)).toEqual([])
    })

    it('is held for longer when its owner renews it, and not by another', async () => {
      const key = newKey()
      // The renewal is in time even on a busy machine.
      await claim(key, 'ann', { leaseMs: 5 * leaseMs })
      expect(await store.renew(key, 'bob', 60_000)).toBe(false)
      expect(await store.renew(key, 'ann', 60_000)).toBe(true)
      await pass(5 * leaseMs)
      expect(await claim(key, 'bob')).toMatchObject({ held: true })
      expect(await unknowns(key)).toEqual([])
    })

    it('is unknown once its owner says so, and the owner has it no longer', async () => {
      const key = newKey()
      await claim(key, 'ann')
      expect(await store.settle(key, 'bob', 'unknown')).toBe(false)
      expect(await store.settle(key, 'ann', 'unknown')).toBe(true)
      const unknown = { unknown: true, sinceMs: expect.any(Number), reference: `ref-${key}` }
      expect(await claim(key, 'ann')).toEqual(unknown)
      expect(await claim(key, 'bob')).toEqual(unknown)
      expect(await store.renew(key, 'ann', 60_000)).toBe(false)
      expect(await store.settle(key, 'ann', 'released')).toBe(false)
      expect(await unknowns(key)).toHaveLength(1)
    })
  })

  describe('a claim whose lease is over', () => {
    it('is unknown since the last sign of life, and cannot be renewed or taken', async () => {
      const key = await expired()
      const found = (await claim(key, 'bob')) as { sinceMs: number }
      expect(found).toEqual({ unknown: true, sinceMs: expect.any(Number), reference: `ref-${key}` })
      expect(found.sinceMs).toBeGreaterThanOrEqual(leaseMs)
      expect(await store.renew(key, 'ann', 60_000)).toBe(false)
      const [unknown] = await unknowns(key)
      expect(unknown?.sinceMs).toBeGreaterThanOrEqual(found.sinceMs)
    })

    it('can still be settled by its owner, who knows what became of the email', async () => {
      const released = await expired()
      expect(await store.settle(released, 'bob', 'released')).toBe(false)
      expect(await store.settle(released, 'ann', 'released')).toBe(true)
      expect(await claim(released, 'bob')).toBe('claimed')
      const sent = await expired()
      expect(await store.settle(sent, 'ann', 'sent')).toBe(true)
      expect(await claim(sent, 'bob')).toMatchObject({ sent: true })
      expect([...(await unknowns(released)), ...(await unknowns(sent))]).toEqual([])
    })

    it('is the owner\u2019s again who asks for it, under another ID', async () => {
      const key = await expired()
      const [before] = await unknowns(key)
      expect(await claim(key, 'ann')).toBe('claimed')
      expect(await unknowns(key)).toEqual([])
      await store.settle(key, 'ann', 'unknown')
      const [after] = await unknowns(key)
      expect(after!.id).not.toBe(before!.id)
      await store.resolve(before!.id, 'released')
      expect(await claim(key, 'bob')).toMatchObject({ unknown: true })
    })
  })

  describe('resolve', () => {
    it('frees a key', async () => {
      const key = await expired()
      await store.resolve((await unknowns(key))[0]!.id, 'released')
      expect(await claim(key, 'bob')).toBe('claimed')
      expect(await unknowns(key)).toEqual([])
    })

    it('makes a key sent, with what was found', async () => {
      const key = await expired()
      await store.resolve((await unknowns(key))[0]!.id, 'sent', { messageId: 'pm-1', errorCode: undefined })
      expect(await claim(key, 'bob')).toMatchObject({ sent: true, resolution: { messageId: 'pm-1' } })
      expect(await unknowns(key)).toEqual([])
    })

    it('changes nothing that is not unknown any more', async () => {
      const key = await expired()
      const { id } = (await unknowns(key))[0]!
      await store.settle(key, 'ann', 'sent', { response: '250 ok' })
      await store.resolve(id, 'released')
      expect(await claim(key, 'bob')).toMatchObject({ sent: true, info: { response: '250 ok' } })
    })

    it('changes no later claim of the same key', async () => {
      const key = await expired()
      const { id } = (await unknowns(key))[0]!
      await store.resolve(id, 'released')
      await claim(key, 'bob', { leaseMs })
      await pass(leaseMs)
      await store.resolve(id, 'released')
      await store.resolve(id, 'sent')
      expect(await claim(key, 'carl')).toMatchObject({ unknown: true })
    })

    it('lets an email be sent that comes to light later, whatever was resolved', async () => {
      const key = await expired()
      await store.resolve((await unknowns(key))[0]!.id, 'released')
      await claim(key, 'bob')
      expect(await store.settle(key, 'ann', 'sent', { response: '250 late' })).toBe(true)
      expect(await store.renew(key, 'bob', 60_000)).toBe(false)
      expect(await claim(key, 'carl')).toMatchObject({ sent: true, info: { response: '250 late' } })
    })
  })

  it('lists many emails of unknown outcome, each once, while they are resolved', async () => {
    const keys = Array.from({ length: 350 }, newKey)
    await Promise.all(keys.map((key) => claim(key, 'ann')))
    await Promise.all(keys.map((key) => store.settle(key, 'ann', 'unknown')))
    const listed: string[] = []
    for await (const { id, reference } of store.unknowns()) {
      if (!keys.includes(reference.slice(4))) continue
      listed.push(reference.slice(4))
      await store.resolve(id, 'released')
    }
    expect(listed.toSorted()).toEqual(keys.toSorted())
    for (const claimed of await Promise.all(keys.map((key) => claim(key, 'bob'))))
      expect(claimed).toBe('claimed')
  })

  it('forgets a key when its time to live is over', async () => {
    const short = await create(leaseMs)
    const request = { leaseMs: 1, reference: 'r', fingerprint: 'f' }
    for (const state of ['sent', 'unknown', 'claimed'] as const) {
      await short.claim(state, { owner: 'ann', ...request })
      if (state !== 'claimed') await short.settle(state, 'ann', state)
    }
    await pass(leaseMs + 1)
    for (const key of ['sent', 'unknown', 'claimed'])
      expect(await short.claim(key, { owner: 'bob', ...request, leaseMs: 60_000 }), key).toBe('claimed')
    for await (const unknown of short.unknowns()) expect(unknown).toBeUndefined()
  })
}
