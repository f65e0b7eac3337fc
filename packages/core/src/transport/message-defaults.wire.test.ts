import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSmtpServer } from '@postmark-smtp/testing'
import { createTransport, type Transporter } from 'nodemailer'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { attachPostmark, createPostmarkTransport, type PostmarkTransportOptions } from '../index.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const message = { to: 'b@example.com', subject: 'Hello', text: 'Hello' }
const defaults = {
  from: { name: 'Shop', address: 'shop@EXAMPLE.com' },
  replyTo: 'help@example.com',
  headers: { 'X-Shop': '1', 'X-PM-Metadata-header': '1' },
  postmark: { tag: 'default', metadata: { app: 'shop' } },
}

let server: Awaited<ReturnType<typeof startSmtpServer>>
beforeAll(async () => {
  server = await startSmtpServer({ auth: [{ user: TOKEN, pass: TOKEN }] })
})
afterAll(() => server.close())
beforeEach(() => server.clear())

function connect(options: Partial<PostmarkTransportOptions> = {}, messageDefaults?: object) {
  const { host, port, ca } = server
  const all = { serverToken: TOKEN, host, ports: [port], tls: { ca }, ...options } as PostmarkTransportOptions
  return createPostmarkTransport(all, messageDefaults)
}

const lines = (index = 0) =>
  server.mails[index]!.headerLines.filter((line) => /^(x-|from|reply-to)/i.test(line)).toSorted()

describe.each([
  ['the second argument', () => connect({}, defaults)],
  ['the option `message`', () => connect({ message: defaults })],
])('default fields of messages in %s', (_name, create) => {
  it('stand in for what a message does not have', async () => {
    await using transporter = create()
    await transporter.sendMail(message)
    expect(lines()).toEqual([
      'From: Shop <shop@example.com>',
      'Reply-To: help@example.com',
      'X-PM-Metadata-app: shop',
      'X-PM-Metadata-header: 1',
      'X-PM-Tag: default',
      'X-Shop: 1',
    ])
    expect(defaults.from.address).toBe('shop@EXAMPLE.com')
  })

  it.each([
    ['a map', { 'x-shop': '2', 'X-Own': '1' }],
    [
      'pairs',
      [
        { key: 'X-Shop', value: '2' },
        { key: 'X-Own', value: '1' },
      ],
    ],
  ])('give way to the message, with headers as %s', async (_shape, headers) => {
    await using transporter = create()
    const postmark = { tag: 'own', metadata: { app: 'other' } }
    await transporter.sendMail({ ...message, from: 'own@example.com', headers, postmark } as object)
    expect(lines()).toEqual([
      'From: own@example.com',
      'Reply-To: help@example.com',
      'X-Own: 1',
      'X-PM-Metadata-app: other',
      'X-PM-Metadata-header: 1',
      'X-PM-Tag: own',
      'X-Shop: 2',
    ])
  })

  it('count as `defaults` in info.postmark.origins', async () => {
    await using transporter = create()
    const { postmark } = await transporter.sendMail(message)
    expect(postmark.origins).toMatchObject({
      tag: { level: 'defaults' },
      'metadata.app': { level: 'defaults' },
    })
  })
})

it('default attachments gather no images of other emails', async () => {
  const image = 'data:image/png;base64,iVBORw0KGgo='
  await using transporter = connect({
    message: { attachDataUrls: true, attachments: [{ filename: 'terms.txt', content: 'terms' }] } as object,
  })
  for (const subject of ['first', 'second']) {
    await transporter.sendMail({ ...message, from: 'a@example.com', subject, html: `<img src="${image}">` })
  }
  for (const { body } of server.mails) expect(body.match(/^Content-Disposition:/gim)).toHaveLength(2)
})

it.each<readonly [string, () => unknown, object]>([
  ['both', () => connect({ message: defaults }, defaults), { code: 'ERR_POSTMARK_OPTIONS' }],
  ['no object', () => connect({ message: 'a@example.com' as never }), { code: 'ERR_POSTMARK_OPTIONS' }],
  [
    'fields that are not valid',
    () => connect({}, { postmark: { tag: ['a'] }, headers: { 'X-PM-Track-Opens': 'true' } }),
    {
      code: 'ERR_POSTMARK_FIELDS',
      problems: [{ path: 'message.postmark.tag' }, { path: 'message.headers.X-PM-Track-Opens' }],
    },
  ],
  [
    'access that is no switch',
    () => connect({ disableFileAccess: 1 as never }),
    { code: 'ERR_POSTMARK_OPTIONS' },
  ],
])('refuses %s at construction', (_what, create, error) => {
  expect(create).toThrow(expect.objectContaining({ code: (error as { code: string }).code }))
  try {
    create()
  } catch (thrown) {
    expect(thrown).toMatchObject(error)
  }
})

describe('what a message may read', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postmark-smtp-'))
  const path = join(folder, 'secret.txt')
  writeFileSync(path, 'Subject: secret\r\n\r\nsecret')
  afterAll(() => rmSync(folder, { recursive: true }))
  const envelope = { from: 'a@example.com', to: 'b@example.com' }
  const mail = { ...message, from: 'a@example.com' }
  const href = 'http://127.0.0.1:9/secret.txt'

  const places: readonly (readonly [string, (place: object) => object])[] = [
    ['text', (place) => ({ ...mail, text: place })],
    ['html', (place) => ({ ...mail, html: place })],
    ['html with inline images', (place) => ({ ...mail, attachDataUrls: true, html: place })],
    ['icalEvent', (place) => ({ ...mail, icalEvent: place })],
    ['an attachment', (place) => ({ ...mail, attachments: [place] })],
    [
      'the content of an attachment',
      (place) => ({ ...mail, attachments: [{ filename: 'a.txt', content: place }] }),
    ],
    ['a raw attachment', (place) => ({ ...mail, attachments: [{ raw: place }] })],
    ['an alternative', (place) => ({ ...mail, alternatives: [place] })],
    ['raw', (place) => ({ envelope, raw: place })],
  ]
  const attached = (options: object) => {
    const { host, port, ca } = server
    const auth = { user: TOKEN, pass: TOKEN }
    return attachPostmark(
      createTransport({ host, port, requireTLS: true, tls: { ca }, auth, ...options }) as Transporter,
    )
  }

  it.each(places)('is no file, named by %s, with disableFileAccess', async (_where, make) => {
    for (const transporter of [connect({ disableFileAccess: true }), attached({ disableFileAccess: true })]) {
      await expect(transporter.sendMail(make({ path }))).rejects.toMatchObject({
        code: 'EFILEACCESS',
        outcome: 'not-sent',
      })
      await transporter.close()
    }
    expect(server.mails).toEqual([])
  })

  it.each(places)('is no URL, named by %s, with disableUrlAccess', async (_where, make) => {
    for (const place of [{ href }, { path: href }]) {
      await using transporter = connect({ disableUrlAccess: true })
      await expect(transporter.sendMail(make(place))).rejects.toMatchObject({ code: 'EURLACCESS' })
    }
  })

  it('is what the message allows itself, and a data URL in any case', async () => {
    await using transporter = connect({ disableUrlAccess: true })
    const data = { path: 'data:text/plain,hi', filename: 'a.txt' }
    await transporter.sendMail({ ...mail, attachments: [data, { path, filename: 'b.txt' }] })
    await expect(
      transporter.sendMail({ ...mail, attachments: [{ path }], disableFileAccess: true }),
    ).rejects.toMatchObject({ code: 'EFILEACCESS' })
    await expect(
      transporter.sendMail({ ...mail, attachments: [{ href }], disableUrlAccess: false }),
    ).rejects.toMatchObject({ code: 'EURLACCESS' })
    expect(server.mails).toHaveLength(1)
  })
})
