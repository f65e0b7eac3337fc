import { createTransport } from 'nodemailer'
import { expect, it } from 'vitest'
import { startSandbox } from '../sandbox.js'
import { readHeaderBlock } from './header-block.js'

const OWN = '<mine@example.com>'
const lines = [
  'From: shop@example.com',
  'To: ann@example.com',
  'Bcc: audit@example.com,',
  ' boss@example.com',
  'Message-ID: <mine@example.com>',
  'Subject: Hi',
  'X-PM-Tag: welcome',
  'X-PM-Metadata-order-id: 42',
  'x-pm-metadata-a: folded',
  '\tvalue',
  'X-PM-TrackOpens: true',
  'X-PM-RCPT: forged',
  'X-Mailer: mine',
]

async function deliver(raw: string | Buffer, recipient?: string) {
  await using sandbox = await startSandbox()
  const { host, port, token } = sandbox
  const auth = { user: token, pass: token }
  const envelope = { from: 'shop@example.com', to: ['ann@example.com', 'audit@example.com'] }
  await createTransport({ host, port, ignoreTLS: true, auth }).sendMail({ envelope, raw })
  const mail = sandbox.outbox[0]!
  const copy = mail.delivered(recipient)
  return {
    mail,
    copy: copy.toString(),
    headers: readHeaderBlock(copy).map(({ key, value }) => `${key}: ${value}`),
  }
}

it('is without Bcc, metadata and control headers, and has the tag and the headers of Postmark', async () => {
  const { mail, copy, headers } = await deliver([...lines, '', 'X-PM-Metadata-in: body', ''].join('\r\n'))
  expect(headers).toEqual([
    'From: shop@example.com',
    'To: ann@example.com',
    'Subject: Hi',
    'X-PM-Tag: welcome',
    'X-Mailer: mine',
    `Message-ID: <${mail.messageId}@mtasv.net>`,
    `X-PM-Message-Id: ${mail.messageId}`,
    `X-PM-RCPT: |${Buffer.from('ann@example.com').toString('base64')}|`,
  ])
  expect(copy).toMatch(/\r\n\r\nX-PM-Metadata-in: body\r\n$/)
})

it('keeps the Message-ID where the email asks for it, and gives one to an email that has none', async () => {
  const kept = await deliver([...lines, 'X-PM-KeepID: true', '', 'Hi'].join('\r\n'))
  expect(kept.headers.filter((line) => /^message-id/i.test(line))).toEqual([`Message-ID: ${OWN}`])
  const none = await deliver('From: shop@example.com\r\nX-PM-KeepID: true\r\n\r\nHi\r\n')
  expect(none.headers).toContain(`Message-ID: <${none.mail.messageId}@mtasv.net>`)
})

it('names its recipient', async () => {
  const { headers } = await deliver([...lines, '', ''].join('\r\n'), 'audit@example.com')
  expect(headers.at(-1)).toContain(Buffer.from('audit@example.com').toString('base64'))
})

it.each([
  ['without a body', 'From: a@example.com\r\nX-PM-Metadata-a: 1\r\n', 'From: a@example.com\r\nMessage-ID'],
  ['without a header block', '\r\nBcc: body\r\n', 'Message-ID'],
])('takes a message %s', async (_, raw, start) => {
  const { copy } = await deliver(raw)
  expect(copy.startsWith(start)).toBe(true)
  expect(copy.includes('body')).toBe(raw.includes('body'))
  expect(copy).not.toContain('X-PM-Metadata')
})

it('has a whole header block where the lines of the email end in LF', async () => {
  const { copy, headers } = await deliver(Buffer.from([...lines, '', 'X-PM-Tag: body', ''].join('\n')))
  expect(headers.slice(0, 5)).toEqual([
    'From: shop@example.com',
    'To: ann@example.com',
    'Subject: Hi',
    'X-PM-Tag: welcome',
    'X-Mailer: mine',
  ])
  expect(copy.slice(0, copy.indexOf('\r\n\r\n'))).not.toMatch(/[^\r]\n/)
  expect(copy).toMatch(/\r\n\r\nX-PM-Tag: body\r?\n/)
})
