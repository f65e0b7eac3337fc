import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { startSmtpServer } from '@postmark-smtp/testing'
import { describe, expect, it } from 'vitest'
import { createPostmarkTransport, deliveryOutcome, type PostmarkTransportOptions } from '../index.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const message = { from: 'a@example.com', to: 'b@example.com', subject: 'Hello', text: 'Hello' }
const envelope = { from: 'a@example.com', to: 'b@example.com' }

async function setUp(options: object = {}) {
  const server = await startSmtpServer({ auth: [{ user: TOKEN, pass: TOKEN }] })
  const { host, port, ca } = server
  const all = { serverToken: TOKEN, host, ports: [port], tls: { ca }, ...options }
  const transporter = createPostmarkTransport(all as PostmarkTransportOptions)
  const end = async () => {
    await transporter.close()
    await server.close()
  }
  return { server, transporter, [Symbol.asyncDispose]: end }
}

/** A stream that gives its text after a while. */
const slow = (text: string) =>
  Readable.from(
    (async function* () {
      await wait(50)
      yield text
    })(),
  )

describe('close', () => {
  it.each<readonly [string, object, () => object]>([
    [
      'with a raw stream',
      {},
      () => ({ envelope, raw: slow('From: a@example.com\r\nSubject: raw\r\n\r\nHello') }),
    ],
    [
      'with images to look for',
      {},
      () => ({
        ...message,
        attachDataUrls: true,
        html: slow('<img src="data:image/png;base64,iVBORw0KGgo=">'),
      }),
    ],
    ['that waits for a store of suppressions', { suppressions: { find: () => wait(50, []) } }, () => message],
  ])('waits for an email %s', async (_what, options, make) => {
    await using set = await setUp(options)
    const sent = set.transporter.sendMail(make())
    const closed = set.transporter.close()
    await expect(set.transporter.sendMail(message)).rejects.toMatchObject({
      code: 'ERR_POSTMARK_CLOSED',
      outcome: 'not-sent',
    })
    expect(await sent).toMatchObject({ accepted: ['b@example.com'] })
    await closed
    expect(set.server.mails).toHaveLength(1)
  })

  it('gives up an email that is not composed when its deadline is over', async () => {
    let answer: (addresses: string[]) => void = () => {}
    const find = () =>
      new Promise<string[]>((resolve) => {
        answer = resolve
      })
    await using set = await setUp({ suppressions: { find } })
    const sent = set.transporter.sendMail(message).catch((error: unknown) => error)
    await set.transporter.close({ deadlineMs: 20 })
    const error = await sent
    expect(error).toMatchObject({ code: 'ERR_POSTMARK_CLOSED' })
    expect(deliveryOutcome(error)).toBe('not-sent')
    answer([])
    await wait(20)
    expect(set.server.mails).toEqual([])
  })

  it('waits for no email that was refused, or that could not be composed', async () => {
    await using set = await setUp()
    const refused = [{ ...message, postmark: { tag: ['a'] } }, { ...message, attachments: [null] }, null]
    for (const mail of refused) await expect(set.transporter.sendMail(mail as never)).rejects.toThrow()
    await set.transporter.close()
  })

  it('comes at the end of `await using`', async () => {
    await using set = await setUp()
    {
      await using transporter = set.transporter
      await transporter.sendMail(message)
    }
    await expect(set.transporter.sendMail(message)).rejects.toMatchObject({ code: 'ERR_POSTMARK_CLOSED' })
  })
})
