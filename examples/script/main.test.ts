import { expect, it } from 'vitest'
import { main } from './main.js'

it('prints what the server received, and what was not sent', async () => {
  const lines: string[] = []
  await main((line) => lines.push(line))
  expect(lines).toEqual([
    'Not sent: postmark.metadata.note has 81 characters (expected: at most 80 characters)',
    'Plain: {"messageStream":"outbound"}',
    'Order 1001: {"messageStream":"outbound","tag":"checkout","metadata":{"tenant":"acme","request-id":"req-1"}}',
    'Invoice: {"messageStream":"outbound","tag":"invoice","trackOpens":true,"keepId":true}',
    'Newsletter: {"messageStream":"broadcast","tag":"news","trackLinks":"HtmlAndText"}',
  ])
})
