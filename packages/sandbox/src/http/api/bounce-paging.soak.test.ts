import { size } from '@postmark-smtp/testing'
import { createTransport } from 'nodemailer'
import { ServerClient } from 'postmark'
import { expect, it } from 'vitest'
import { startSandbox } from '../../sandbox.js'

it('pages through thousands of bounces on three streams, each once, the newest first', async () => {
  const perStream = size(4_000)
  await using sandbox = await startSandbox({ streams: ['receipts'], keep: { mails: 100 } })
  const { host, port, token } = sandbox
  const transport = createTransport({ host, port, ignoreTLS: true, auth: { user: token, pass: token } })
  const client = new ServerClient(token, { requestHost: sandbox.apiHost, useHttps: false })
  const streams = ['outbound', 'broadcast', 'receipts']
  for (const stream of streams) {
    const message = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Welcome', text: 'Hello' }
    await transport.sendMail({ ...message, headers: { 'X-PM-Message-Stream': stream } })
    for (let count = 0; count < perStream; count += 1) sandbox.bounce(sandbox.outbox.at(-1)!, 'SoftBounce')
  }
  for (const stream of streams) {
    const wanted = sandbox.bounces.filter(({ mail }) => mail.stream === stream).map(({ id }) => id)
    const found: number[] = []
    for (let offset = 0; offset < perStream; offset += 500) {
      const { Bounces, TotalCount } = await client.getBounces({ count: 500, offset, messageStream: stream })
      expect(TotalCount).toBe(perStream)
      found.push(...Bounces.map(({ ID }) => ID))
    }
    expect(found).toEqual(wanted.reverse())
  }
})
