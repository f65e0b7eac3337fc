import { expect, it } from 'vitest'
import { main } from './main.js'

it('prints what the server received, and what never left', async () => {
  const lines: string[] = []
  await main((line) => lines.push(line))
  const rows = lines
    .slice(2)
    .map((line) => line.replace(/queued as [0-9A-F]+/, 'queued as ID').split(/ {2,}/))
  expect(lines[0]?.split(/ +/)).toEqual(['subject', 'stream', 'tag', 'metadata', 'verdict'])
  expect(rows).toEqual([
    ['Plain', 'outbound', 'accepted, queued as ID'],
    ['Order 1001', 'outbound', 'checkout', 'tenant=acme request-id=req-1', 'accepted, queued as ID'],
    ['Invoice', 'outbound', 'invoice', 'accepted, queued as ID'],
    ['Newsletter', 'broadcast', 'news', 'accepted, queued as ID'],
    ['Too long', 'refused here: postmark.metadata.note has 81 characters (at most 80 characters)'],
  ])
})
