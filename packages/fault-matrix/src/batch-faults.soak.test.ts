import {
  type BatchResult,
  createMemorySendOnce,
  createPostmarkTransport,
  createSuppressionList,
  sendBatch,
} from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import { type Fault, seededFaults } from '@postmark-smtp/sandbox/faults'
import { createRandom, size } from '@postmark-smtp/testing'
import { describe, expect, it } from 'vitest'

const message = { from: 'news@example.com', subject: 'News', text: 'Hello', html: '<p>Hello</p>' }
/** Where a server may fall silent, which then costs so much. */
const LIMIT_MS = 300
/** Where none does: a busy machine must not pass for one. */
const PATIENT_MS = 60_000

/** A storm of replies that ask for patience, in the midst of a list and at its begin. */
function storm(code: 421 | 450): (connection: number, mail: number) => Fault | undefined {
  let replies = 0
  return () => {
    replies++
    const isStorm = replies < 5 || (replies > 60 && replies < 80)
    return isStorm ? { phase: code === 421 ? 'mail' : 'rcpt', kind: 'reply', code } : undefined
  }
}

/** Sends a list through faults; returns the outcomes, and how often the server took each email. */
async function run(
  faults: (connection: number, mail: number) => Fault | undefined,
  count: number,
  once: boolean,
  limitMs: number,
) {
  await using sandbox = await startSandbox({ faults, keep: { mails: 1_000_000 } })
  const suppressions = createSuppressionList()
  for (let reader = 3; reader < count; reader += 10)
    suppressions.add({ address: `reader-${reader}@example.com`, stream: 'broadcast' })
  await using transporter = createPostmarkTransport({
    ...{ url: sandbox.url, messageStream: 'broadcast', suppressions, onWarning: () => {} },
    ...(once ? { sendOnce: createMemorySendOnce() } : {}),
    // A storm lasts for so many replies here, however long the pauses are.
    retry: { attempts: 100, baseMs: 10, deadlineMs: 120_000 },
    timeouts: { raceMs: 5_000, replyMs: limitMs, finalMs: limitMs },
  })
  async function* readers() {
    for (let reader = 0; reader < count; reader++)
      yield { to: reader % 100 === 50 ? 'no address' : `reader-${reader}@example.com`, key: `${reader}` }
  }
  const results: BatchResult[] = []
  let thrown: unknown
  try {
    for await (const result of sendBatch(transporter, readers(), { message, sendOnce: once }))
      results.push(result)
  } catch (error) {
    thrown = error
  }
  const copies = new Map<string, number>()
  for (const { envelope } of sandbox.outbox)
    copies.set(envelope.to[0]!, (copies.get(envelope.to[0]!) ?? 0) + 1)
  const broken: string[] = []
  for (const { to, outcome } of results) {
    const taken = copies.get(String(to)) ?? 0
    if (taken > 1) broken.push(`${to} has ${taken} copies`)
    if (outcome === 'sent' ? taken !== 1 : outcome !== 'unknown' && taken > 0)
      broken.push(`${to} is ${outcome}, and the server took ${taken}`)
  }
  return { results, thrown, broken, outcomeOf: countOutcomes(results) }
}

function countOutcomes(results: readonly BatchResult[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

describe('a batch', () => {
  it.each([421, 450] as const)('is sent as a whole through storms of %i', async (code) => {
    const { results, thrown, broken, outcomeOf } = await run(storm(code), 400, false, PATIENT_MS)
    expect(thrown).toBeUndefined()
    expect(broken).toEqual([])
    expect(outcomeOf).toEqual({ sent: 356, suppressed: 40, refused: 4 })
    expect(results).toHaveLength(400)
  })

  it.each([false, true])(
    'accounts for each email where the server breaks at any phase; with keys: %s',
    async (once) => {
      const runs = size(20, 10)
      for (let seed = 1; seed <= runs; seed++) {
        const random = createRandom(seed)
        const faults = seededFaults(seed, { rate: random() * 0.2, maxDelayMs: LIMIT_MS / 2 })
        // A certificate or a refused login ends the run, as it should: those are tested elsewhere.
        const { results, thrown, broken } = await run(
          (connection, mail) => {
            const fault = faults(connection, mail)
            return fault && ['starttls', 'tls', 'auth'].includes(fault.phase) ? undefined : fault
          },
          200,
          once,
          LIMIT_MS,
        )
        expect({ seed, broken }).toEqual({ seed, broken: [] })
        if (thrown === undefined) expect(results).toHaveLength(200)
        else expect(thrown).toMatchObject({ code: 'ERR_POSTMARK_BATCH' })
        expect(new Set(results.map(({ index }) => index)).size).toBe(results.length)
      }
    },
  )
})
