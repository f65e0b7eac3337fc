import { startSmtpServer } from '@postmark-smtp/testing'
import { createTransport, type Transporter } from 'nodemailer'
import { describe, expect, it } from 'vitest'
import { postmark } from './index.js'

const mail = {
  from: 'shop@example.com',
  to: 'ann@example.com',
  subject: 'Hi',
  text: 'Hi',
  postmark: { tag: 'a' },
}

/** Sends an email through a transporter on which the plugin was registered in some way; gives its Postmark lines. */
async function send(register: (transporter: Transporter) => unknown): Promise<readonly string[]> {
  await using server = await startSmtpServer({ auth: 'none' })
  const { host, port, ca } = server
  const transporter = createTransport({ host, port, requireTLS: true, tls: { ca } })
  register(transporter)
  await transporter.sendMail(mail)
  return server.mails.flatMap(({ headerLines }) => headerLines.filter((line) => /^x-pm-/i.test(line)))
}

describe('the plugin', () => {
  it.each<[string, (transporter: Transporter) => unknown, string]>([
    ["use('stream', postmark())", (t) => t.use('stream', postmark()), 'runs after the compile step'],
    ["use('compile', postmark)", (t) => t.use('compile', postmark as never), 'postmark creates the plugin'],
    ["use('stream', postmark)", (t) => t.use('stream', postmark as never), 'postmark creates the plugin'],
  ])('rejects an email where it was registered by %s, and says how to', async (_how, register, what) => {
    const error = await send(register).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ name: 'PostmarkError', code: 'ERR_POSTMARK_OPTIONS' })
    expect((error as Error).message).toContain(what)
    expect((error as Error).message).toContain("transporter.use('compile', postmark())")
  })

  it('writes the headers once where it is registered for both steps', async () => {
    const lines = await send((t) => t.use('compile', postmark()).use('stream', postmark()))
    expect(lines).toEqual(['X-PM-Tag: a'])
  })
})
