import { getEventListeners } from 'node:events'
import { Readable } from 'node:stream'
import { collectGarbage, startSmtpServer } from '@postmark-smtp/testing'
import { createTransport, type Transporter } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPostmarkTransport, runWithPostmark } from '../index.js'
import { attachPostmark } from './attach.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const message = { from: 'a@example.com', to: 'b@example.com', subject: 'Hello', text: 'Hello' }
const MAILS = 10

let server: Awaited<ReturnType<typeof startSmtpServer>>
const transporters = new Map<string, Transporter>()
beforeAll(async () => {
  server = await startSmtpServer({ auth: [{ user: TOKEN, pass: TOKEN }] })
  const { host, port, ca } = server
  const auth = { user: TOKEN, pass: TOKEN }
  const pool = createTransport({
    host,
    port,
    requireTLS: true,
    tls: { ca },
    auth,
    pool: true,
  }) as unknown as Transporter
  const suppressions = { find: async () => [] }
  transporters.set('attachPostmark on a pool', attachPostmark(pool, { suppressions }))
  const ours = { serverToken: TOKEN, host, ports: [port], tls: { ca }, suppressions }
  transporters.set('createPostmarkTransport', createPostmarkTransport(ours) as unknown as Transporter)
  for (const transporter of transporters.values()) {
    transporter.use('compile', (mail, done) => {
      if (mail.data.subject === 'throw') throw new Error('no')
      done()
    })
  }
})
afterAll(async () => {
  for (const transporter of transporters.values()) await transporter.close()
  await server.close()
})

describe.each(['attachPostmark on a pool', 'createPostmarkTransport'])(
  'after its answer, with %s',
  (name) => {
    it.each<readonly [string, () => object]>([
      ['that was sent', () => ({})],
      [
        'of a raw stream',
        () => ({ raw: Readable.from(['From: a@example.com\r\nSubject: raw\r\n\r\nHello']) }),
      ],
      ['that preflight refused', () => ({ postmark: { tag: ['a'] } })],
      ['that a plugin refused', () => ({ subject: 'throw' })],
      ['that could not be composed', () => ({ attachments: [null] })],
    ])('nothing of an email %s stays with a signal, a transporter or a stream', async (_what, make) => {
      const transporter = transporters.get(name)!
      const { signal } = new AbortController()
      const scopes: WeakRef<object>[] = []
      const send = async () => {
        const metadata = { id: 1 }
        // What a request would hold: its scope, which callback and record see.
        const scope = () => ({ metadata })
        scopes.push(new WeakRef(scope))
        await runWithPostmark(scope, () =>
          transporter.sendMail({ ...message, signal, ...make() } as object),
        ).catch(() => {})
        await new Promise<void>((resolve) => {
          runWithPostmark(scope, () =>
            transporter.sendMail({ ...message, signal, ...make() } as object, () => resolve()),
          )
        })
      }
      for (let sent = 0; sent < MAILS; sent++) await send()
      expect(getEventListeners(signal, 'abort')).toEqual([])
      await new Promise((resolve) => setTimeout(resolve, 20))
      collectGarbage()
      const alive = scopes.filter((scope) => scope.deref()).length
      // The session, and the engine, may know the last one.
      expect(alive).toBeLessThanOrEqual(3)
    })
  },
)
