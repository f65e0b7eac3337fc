import { Readable } from 'node:stream'
import { startSmtpServer } from '@postmark-smtp/testing'
import { createTransport, type Transporter } from 'nodemailer'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { PostmarkProblem } from '../problems/problem.js'
import { attachPostmark } from './attach.js'
import { createCompileStep } from './compile-step.js'
import type { CompileOptions } from './settings.js'

let server: Awaited<ReturnType<typeof startSmtpServer>>
beforeAll(async () => {
  server = await startSmtpServer({ auth: 'none' })
})
afterAll(() => server.close())
beforeEach(() => server.clear())

const message = { to: 'ann@example.com', subject: 'Hello', text: 'Hello' }

function connect(defaults?: object): Transporter {
  const { host, port, ca } = server
  return createTransport({ host, port, requireTLS: true, tls: { ca } }, defaults) as Transporter
}

describe.each<[string, (transporter: Transporter, options?: CompileOptions) => Transporter]>([
  ['attachPostmark', attachPostmark],
  [
    'the compile step alone',
    (transporter, options) => {
      transporter.use('compile', createCompileStep(options))
      return transporter
    },
  ],
])('preflight of %s', (_name, attach) => {
  it.each<[string, object | undefined]>([
    ['its own From', undefined],
    ['the From of the transporter’s defaults', { from: 'Shop <shop@example.com>' }],
    ['a From header of the transporter’s defaults', { headers: { From: 'shop@example.com' } }],
  ])('passes an email with %s', async (_title, defaults) => {
    const own = defaults ? {} : { from: 'shop@example.com' }
    await attach(connect(defaults)).sendMail({ ...message, ...own })
    expect(server.mails[0]!.headerLines.find((line) => /^from:/i.test(line))).toContain('shop@example.com')
  })

  it.each<[string, object, object | undefined]>([
    ['no From at all', {}, undefined],
    ['no address in From', { from: 'shop' }, { from: 'shop@example.com' }],
    ['no address in the From of the defaults', {}, { from: 'My Shop' }],
    [
      'a From outside ASCII',
      { from: 'jürgen@example.com', envelope: { from: 'j@example.com', to: 'a@example.com' } },
      undefined,
    ],
  ])('refuses an email with %s before anything is sent', async (_title, own, defaults) => {
    const sent = attach(connect(defaults)).sendMail({ ...message, ...own })
    await expect(sent).rejects.toMatchObject({
      code: 'ERR_POSTMARK_PREFLIGHT',
      problems: [{ path: 'from', errorCode: 300 }],
    })
    expect(server.mails).toEqual([])
  })

  it('judges a raw message with an envelope by its own From line', async () => {
    const raw = 'From: shop@example.com\r\nTo: ann@example.com\r\n\r\nHello'
    const envelope = { from: 'shop@example.com', to: 'ann@example.com' }
    const transporter = attach(connect({ from: 'defaults@example.com' }))
    await transporter.sendMail({ raw, envelope })
    expect(server.mails).toHaveLength(1)
    const sent = transporter.sendMail({ raw: raw.replace(/^.*\r\n/, ''), envelope })
    await expect(sent).rejects.toMatchObject({ problems: [{ path: 'raw.From', found: 'is missing' }] })
    expect(server.mails).toHaveLength(1)
  })

  it('refuses a raw message with a forbidden attachment, in each way to give it', async () => {
    const raw =
      'From: a@example.com\r\nTo: b@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n' +
      '--b\r\n\r\nHello\r\n--b\r\nContent-Disposition: attachment; filename=a.exe\r\n\r\nx\r\n--b--\r\n'
    const envelope = { from: 'a@example.com', to: 'b@example.com' }
    for (const given of [raw, Buffer.from(raw), { content: raw }]) {
      await expect(attach(connect()).sendMail({ raw: given as string, envelope })).rejects.toMatchObject({
        problems: [{ path: 'raw.attachments[0]', errorCode: 411 }],
      })
    }
    expect(server.mails).toEqual([])
  })

  it('judges a large raw message that is streamed by its beginning', async () => {
    const envelope = { from: 'shop@example.com', to: 'ann@example.com' }
    const stream = (lines: string) =>
      Readable.from([Buffer.from(`${lines}To: ann@example.com\r\n\r\n`), Buffer.alloc(2_000_000, 'x\n')])
    const transporter = attach(connect())
    await transporter.sendMail({ raw: stream('From: shop@example.com\r\n'), envelope })
    expect(server.mails).toHaveLength(1)
    const sent = transporter.sendMail({ raw: stream(''), envelope })
    await expect(sent).rejects.toMatchObject({ problems: [{ path: 'raw.From', found: 'is missing' }] })
    expect(server.mails).toHaveLength(1)
  })

  it('warns once of what REST refuses, and sends it', async () => {
    const warnings: PostmarkProblem[] = []
    const transporter = attach(connect(), { onWarning: (warning) => warnings.push(warning) })
    const envelope = { from: 'shop@example.com', to: 'ann@example.com' }
    await transporter.sendMail({ from: 'shop@example.com', envelope, subject: 'Hello' })
    expect(warnings.map(({ path, severity }) => [path, severity])).toEqual([
      ['to', 'warning'],
      ['text', 'warning'],
    ])
    expect(server.mails).toHaveLength(1)
  })

  it.each<[string, object]>([
    ['a Map', new Map([['order-id', '7']])],
    ['URLSearchParams', new URLSearchParams({ 'order-id': '7' })],
    ['Headers', new Headers({ 'order-id': '7' })],
    [
      'an object with a getter',
      {
        get 'order-id'() {
          return '7'
        },
      },
    ],
  ])('sends metadata of %s', async (_title, metadata) => {
    const postmark = { metadata }
    await attach(connect()).sendMail({ ...message, from: 'a@example.com', postmark } as object)
    expect(server.mails[0]!.headerLines).toContain('X-PM-Metadata-order-id: 7')
  })

  it('refuses metadata that would be lost', async () => {
    const lost = attach(connect()).sendMail({
      ...message,
      from: 'a@example.com',
      postmark: { metadata: new Date() },
    } as object)
    await expect(lost).rejects.toMatchObject({
      problems: [{ path: 'postmark.metadata', found: 'is a Date without own keys and values' }],
    })
    expect(server.mails).toEqual([])
  })

  it('says of a forbidden attachment what it found, what it expected and what to do', async () => {
    const attachments = [{ filename: 'setup.exe', content: 'x' }]
    const sent = attach(connect()).sendMail({ ...message, from: 'a@example.com', attachments })
    await expect(sent).rejects.toThrow(
      'attachments[0].filename ends in .exe (expected: a file type that Postmark accepts). ' +
        'Put the file in an archive, or link to it.',
    )
  })

  it('sends a bounce type under Postmark’s name for it', async () => {
    const postmark = { bounceType: 'soft_bounce' }
    await attach(connect()).sendMail({ ...message, from: 'a@example.com', postmark } as object)
    expect(server.mails[0]!.headerLines).toContain('X-PM-Bounce-Type: SoftBounce')
  })
})

describe('attachPostmark with a plugin that is registered after it', () => {
  const templated = (html: string, warnings: PostmarkProblem[] = []) =>
    attachPostmark(connect(), { onWarning: (warning) => warnings.push(warning) }).use(
      'compile',
      (mail, done) =>
        setImmediate(() => {
          mail.data.html = html
          done()
        }),
    )

  it('does not miss a text that the plugin writes', async () => {
    const warnings: PostmarkProblem[] = []
    const { text: _text, ...mail } = message
    await templated('<p>Hello</p>', warnings).sendMail({ ...mail, from: 'a@example.com' })
    expect(server.mails[0]!.body).toContain('<p>Hello</p>')
    expect(warnings).toEqual([])
  })

  it('refuses what the plugin has made too large', async () => {
    const sent = templated('x'.repeat(6_000_000)).sendMail({ ...message, from: 'a@example.com' })
    await expect(sent).rejects.toMatchObject({ code: 'ERR_POSTMARK_PREFLIGHT', problems: [{ path: 'html' }] })
    expect(server.mails).toEqual([])
  })
})
