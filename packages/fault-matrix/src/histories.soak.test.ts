import { size } from '@postmark-smtp/testing'
import fc from 'fast-check'
import { it } from 'vitest'
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

it('no mail is doubled, lost or misreported, and nothing stays, whatever happens in whatever order', async () => {
  await fc.assert(fc.asyncProperty(histories(), keepsEveryPromise), {
    numRuns: size(20_000),
    seed: 12,
  })
})
