import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type BatchResult, createPostmarkTransport, sendBatch } from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import { createRandom, redisMissing, size, startRedis } from '@postmark-smtp/testing'
import { resolveUnknown } from '@postmark-smtp/webhooks'
import { Redis as IoRedis } from 'ioredis'
import { ServerClient } from 'postmark'
import { describe, expect, it } from 'vitest'
import { createRedisSendOnce } from './index.js'

const SCRIPT = new URL('./batch-process.mjs', import.meta.url)
const missing = redisMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

const LEASE_MS = 1_000
const FINAL_MS = 1_500
/** Covers the lease, the wait for the last reply, the search delay, and a machine that is busy with other tests. */
const WAIT_MS = 5_000
const READERS = size(150, 1.5)
/** A list is sent again after each of these, and then to its end. */
const KILLS_OF_A_LIST = 5
/** Lists that are sent at once, each by a process of its own. */
const AT_ONCE = 4

/** Sends lists by processes that are killed at random points, then what is missing; returns what went wrong. */
async function sendLists(kills: number): Promise<object> {
  const random = createRandom(16)
  await using sandbox = await startSandbox({
    searchDelayMs: 100,
    keep: { mails: 1_000_000, bytes: 1_000_000_000 },
    // Slow now and then, so that kills hit each phase.
    faults: (_connection, mail) =>
      mail % 7 === 0
        ? {
            phase: (['auth', 'mail', 'rcpt', 'data', 'dot', 'dot'] as const)[Math.floor(random() * 6)]!,
            kind: 'delay',
            ms: Math.floor(random() * 30),
          }
        : undefined,
  })
  await using redis = await startRedis()
  const client = new IoRedis(redis.path)
  const store = createRedisSendOnce(client, { prefix: 'batch' })
  const postmark = new ServerClient(sandbox.token, { requestHost: sandbox.apiHost, useHttps: false })
  const transport = { url: sandbox.url, messageStream: 'broadcast', timeouts: { finalMs: FINAL_MS } }
  const running = new Set<ChildProcess>()

  /** Runs a list until so many results are there, and kills its process, or to the end. */
  const runProcess = async (list: string, killAt: number) => {
    const options = { redisPath: redis.path, prefix: 'batch', leaseMs: LEASE_MS, list, readers: READERS }
    const child = fork(SCRIPT, [JSON.stringify({ ...options, ...transport })])
    running.add(child)
    child.on('message', ({ done }: { done: number }) => done >= killAt && child.kill('SIGKILL'))
    const [code] = (await once(child, 'exit')) as [number | null]
    running.delete(child)
    if (code !== null && code !== 0) throw new Error(`The process of ${list} ended with the code ${code}`)
  }
  const lists = Array.from({ length: Math.ceil(kills / KILLS_OF_A_LIST) }, (_, index) => `list-${index}`)
  const waiting = [...lists]
  const work = async () => {
    for (let list = waiting.pop(); list; list = waiting.pop()) {
      // The kills of a list lie anywhere in it: those that come late find the beginning sent.
      const points = Array.from({ length: KILLS_OF_A_LIST }, () => Math.floor(random() * READERS))
      for (const point of points.sort((a, b) => a - b)) await runProcess(list, point)
    }
  }
  const outcomes: Record<string, number> = {}
  const told = new Set<string>()
  let unknowns = 0
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    for await (const _unknown of store.unknowns()) unknowns++
    // What is missing now: the end of each list, and emails whose processes died with them.
    await using transporter = createPostmarkTransport({
      ...transport,
      sendOnce: { store, leaseMs: LEASE_MS },
    })
    const message = { from: 'news@example.com', subject: 'News', text: 'Hello', html: '<p>Hello</p>' }
    let left = lists.flatMap((list) => Array.from({ length: READERS }, (_, reader) => `${list}-${reader}`))
    while (left.length > 0) {
      const again: string[] = []
      const note = ({ outcome, key }: BatchResult) => {
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
        if (outcome === 'unknown') told.add(key!)
        if (outcome !== 'sent' && outcome !== 'duplicate') again.push(key!)
      }
      const readers = left.map((key) => ({ to: `${key}@example.com`, key }))
      for await (const result of sendBatch(transporter, readers, { message, sendOnce: true })) note(result)
      left = again
      if (left.length === 0) break
      await new Promise((resolve) => setTimeout(resolve, 300))
      await resolveUnknown(store, postmark, { streams: ['broadcast'], waitMs: WAIT_MS })
    }
  } finally {
    for (const child of running) child.kill('SIGKILL')
    client.disconnect()
  }
  const copies = new Map<string, number>()
  for (const { envelope } of sandbox.outbox)
    copies.set(envelope.to[0]!, (copies.get(envelope.to[0]!) ?? 0) + 1)
  console.info(
    `${lists.length * READERS} emails, ${lists.length * KILLS_OF_A_LIST} kills, ${unknowns} unknown after them: ${JSON.stringify(outcomes)}`,
  )
  const all = lists.flatMap((list) => Array.from({ length: READERS }, (_, at) => `${list}-${at}@example.com`))
  return {
    twice: all.filter((address) => (copies.get(address) ?? 0) > 1),
    lost: all.filter((address) => !copies.has(address)),
    // Each that the store knows as unknown was reported as such.
    untold: told.size < unknowns,
  }
}

describe.skipIf(skipped)('a batch that is killed and resumed', () => {
  it('sends each email of its list once, wherever it was killed, and reports what is unknown', async () => {
    expect(await sendLists(size(200, 40))).toEqual({ twice: [], lost: [], untold: false })
  })
})
