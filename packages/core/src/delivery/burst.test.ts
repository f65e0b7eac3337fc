import { setTimeout } from 'node:timers/promises'
import { collectGarbage, startSmtpServer } from '@postmark-smtp/testing'
import { afterEach, expect, it, vi } from 'vitest'
import { createPostmarkTransport } from '../index.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const message = { from: 'a@example.com', to: 'b@example.com', text: 'Hello' }

afterEach(() => {
  vi.useRealTimers()
})

it('sends one copy of an email that finds only connections past their age, after a burst that had to queue', async () => {
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

it('holds a small email that waits without Nodemailer\u2019s tree of it', async () => {
  const trees: WeakRef<object>[] = []
  const transporter = createPostmarkTransport({
    serverToken: TOKEN,
    host: '127.0.0.1',
    allowPlaintext: true,
    getSocket: () => {},
  })
  transporter.use('stream', (mail, done) => {
    trees.push(new WeakRef(mail.message as object))
    done()
  })
  const answers = Array.from({ length: 20 }, () => transporter.sendMail(message).catch((error) => error))
  // What a WeakRef was made of lives until the end of its turn.
  await setTimeout(1)
  collectGarbage()
  expect(trees).toHaveLength(20)
  // The engine may know the last one.
  expect(trees.filter((tree) => tree.deref()).length).toBeLessThanOrEqual(2)
  await transporter.close({ force: true })
  expect(await Promise.all(answers)).toHaveLength(20)
})
