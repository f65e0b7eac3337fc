import { startSmtpServer } from '@postmark-smtp/testing'
import { afterEach, expect, it, vi } from 'vitest'
import { createPostmarkTransport } from '../index.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const message = { from: 'a@example.com', to: 'b@example.com', text: 'Hello' }

afterEach(() => {
  vi.useRealTimers()
})

it('sends one copy of a mail that finds only connections past their age, after a burst that had to queue', async () => {
  await using server = await startSmtpServer()
  const { host, port, ca } = server
  const maxAgeMs = 300_000
  const pool = { maxConnections: 3, maxAgeMs, idleTimeoutMs: 10 * maxAgeMs }
  const transporter = createPostmarkTransport({ serverToken: TOKEN, host, ports: [port], tls: { ca }, pool })
  // The queue of the burst is what leaves the group waiting for a place.
  await Promise.all(Array.from({ length: 8 }, () => transporter.sendMail({ ...message, subject: 'Burst' })))
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * maxAgeMs })
  await transporter.sendMail({ ...message, subject: 'Single' })
  await transporter.close()
  expect(server.mails.filter((mail) => mail.header('Subject') === 'Single')).toHaveLength(1)
  expect(server.mails).toHaveLength(9)
})
