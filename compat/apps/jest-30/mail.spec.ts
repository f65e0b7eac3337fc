import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { type Sandbox, startSandbox } from '@postmark-smtp/sandbox'
import '@postmark-smtp/sandbox/jest'

let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox()
  const transporter = createPostmarkTransport(sandbox.url)
  const message = { from: 'shop@example.com', subject: 'Hi', text: 'Hi' }
  await transporter.sendMail({
    ...message,
    to: 'ann@example.com',
    postmark: { tag: 'welcome', metadata: { 'order-id': '41' } },
  })
  await transporter.sendMail({ ...message, to: 'bob@example.com', postmark: { tag: 'receipt' } })
  await transporter.close()
})
afterAll(() => sandbox.close())

it('passes for an email that was sent', async () => {
  await expect(sandbox).toHaveSent({
    to: 'ann@example.com',
    stream: 'outbound',
    tag: expect.stringContaining('come'),
    metadata: { 'order-id': expect.any(String) },
  })
  await expect(sandbox).toHaveSent({ text: 'Hi', cc: null, attachments: [] }, { count: 2 })
  await expect(sandbox).not.toHaveSent({ to: 'eve@example.com' })
})

it('prints what was sent instead', async () => {
  const match = { to: 'ann@example.com', tag: expect.stringMatching(/^wel/), metadata: { 'order-id': 42 } }
  await expect(expect(sandbox).toHaveSent(match, { timeoutMs: 0 })).rejects.toThrow(
    `expect(sandbox).toHaveSent(match)

No email matched within 0 ms. The closest of 2 is to ann@example.com, subject 'Hi':

- Expected
+ Received

  Object {
    "metadata": Object {
-     "order-id": "42",
+     "order-id": "41",
    },
    "tag": StringMatching /^wel/,
    "to": "ann@example.com",
  }

The others:
  - to bob@example.com, subject 'Hi', postmark { tag: 'receipt' }`,
  )
  await expect(expect(sandbox).not.toHaveSent({ tag: 'receipt' })).rejects.toThrow(
    `expect(sandbox).not.toHaveSent(match)

No email was expected to match, but 1 did:
  - to bob@example.com, subject 'Hi', postmark { tag: 'receipt' }`,
  )
})
