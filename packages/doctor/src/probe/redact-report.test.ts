import { expect, it } from 'vitest'
import { createSecretsRedactor } from '../redactor.js'
import { redactReport } from './redact-report.js'

const TOKEN = 'c3a1f0e2-7b64-4c59-8d2e-1f0a9b8c7d6e'
const OTHER = '0d9b6c1a-51f2-4be0-8a77-9b1d2f3c4e5a'

it('takes tokens, addresses, the domain of the sender, IDs, UUIDs, machines and traces out, in keys too', () => {
  const redactor = createSecretsRedactor()
  redactor.add(TOKEN)
  const dump = `Received: from laptop.home.example (203.0.113.7)\r\n\tby mx.example\r\nFrom: "Ann" <ann@shop.example>\r\n\r\nx`
  const report = {
    [`of ${OTHER}`]: [`token ${TOKEN}`, `id ${OTHER}`, OTHER.replaceAll('-', ''), 7, null, true],
    ServerID: 4711,
    dump,
    text: 'SHOP.example at 203.0.113.7 and 2001:db8:0:0:1:2:3:4',
    long: 'y'.repeat(9_000),
  }
  expect(redactReport(report, redactor, 'ann@shop.example')).toEqual({
    'of [uuid]': ['token [redacted]', 'id [uuid]', '[uuid]', 7, null, true],
    ServerID: '[id]',
    dump: 'Received: [trace]\r\nFrom: "Ann" <[address]>\r\n\r\nx',
    text: '[domain] at [ip] and [ip]',
    long: 'y'.repeat(4_000),
  })
})
