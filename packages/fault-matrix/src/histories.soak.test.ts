import { size } from '@postmark-smtp/testing'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { History } from './histories/history.js'
import { histories } from './histories/history-arbitrary.js'
import { runHistory } from './histories/run-history.js'

const seen: Record<string, number> = {}

async function keepsEveryPromise(history: History): Promise<void> {
  const { broken, mails, server, struck, trace } = await runHistory(history)
  for (const { outcome } of mails) seen[String(outcome)] = (seen[String(outcome)] ?? 0) + 1
  seen.struck = (seen.struck ?? 0) + struck
  seen.connections = (seen.connections ?? 0) + server.sessions.length
  if (broken.length > 0) throw new Error(`${broken.join('\n')}\n${trace.join('\n')}`)
}

// In parts, each with a time limit of its own.
it.each([0, 1, 2, 3])(
  'no email is doubled, lost or misreported, and nothing stays, whatever happens in whatever order: part %i',
  async (part) => {
    const numRuns = size(5000)
    await fc.assert(fc.asyncProperty(histories(), keepsEveryPromise), { numRuns, seed: 100 + part })
  },
)

it('the histories went everywhere: each outcome came up, and faults struck', () => {
  for (const what of ['sent', 'not-sent', 'rejected', 'deferred', 'unknown', 'struck', 'connections'])
    expect(seen[what], what).toBeGreaterThan(0)
})
