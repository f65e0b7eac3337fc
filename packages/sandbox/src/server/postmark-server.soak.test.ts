import { collectGarbage, size } from '@postmark-smtp/testing'
import { expect, it } from 'vitest'
import { createPostmarkServer } from './postmark-server.js'

/** Megabytes that are in use. The bytes of a buffer are freed behind the collection that finds it. */
function memory(): number {
  for (let times = 0; times < 3; times++) collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 1_000_000
}

it.each([
  ['sent', 'ann@example.com'],
  ['bounced', 'Blocked@bounce-testing.postmarkapp.com'],
  ['refused', 'änn@example.com'],
])('memory stays flat at the cap, however many emails are %s', (_, recipient) => {
  const server = createPostmarkServer({ keep: { mails: 500 } })
  const body = `${'x'.repeat(76)}\r\n`.repeat(130)
  const arrival = { secure: false, hostType: undefined, tokenStream: undefined }
  let looks = 0
  const receive = (count: number) => {
    for (let i = 0; i < count; i++) {
      const head = `From: shop@example.com\r\nTo: ${recipient}\r\nSubject: mail ${i}\r\nX-PM-Metadata-id: ${i}`
      const envelope = { from: 'shop@example.com', to: [recipient] }
      const mail = server.receive(Buffer.from(`${head}\r\n\r\n${body}`), envelope, arrival)
      // What is made at the first look counts too.
      looks += server.eventsOf(mail)[0]?.payload.MessageID === mail.messageId ? 1 : 0
    }
  }
  receive(size(10_000))
  const before = memory()
  receive(size(20_000))
  expect(memory() - before).toBeLessThan(3)
  expect(looks).toBe(size(10_000) + size(20_000))
  expect(server.mails).toHaveLength(500)
  expect(server.bounces).toHaveLength(recipient.startsWith('ann') ? 0 : 500)
})
