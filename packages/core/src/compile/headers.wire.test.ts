import { Readable } from 'node:stream'
import { startSmtpServer } from '@postmark-smtp/testing'
import { createTransport, type Transporter } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attachPostmark, type PostmarkFields, runWithPostmark } from '../index.js'
import { createCompileStep } from './compile-step.js'

/** One fixture line per field: what is asked for, and the line that must reach the server. */
const ALL: PostmarkFields = {
  messageStream: 'receipts',
  tag: 'welcome',
  metadata: {
    customerId: 'a',
    'client-id': '12345',
    'ORDER-md5': 'x',
    zero: 0,
    no: false,
    long: 'v'.repeat(80),
  },
  trackOpens: false,
  trackLinks: 'HtmlAndText',
  keepId: true,
  bounceType: 'HardBounce',
}
const LINES = [
  'X-PM-Message-Stream: receipts',
  'X-PM-Tag: welcome',
  'X-PM-Metadata-customerId: a',
  'X-PM-Metadata-client-id: 12345',
  'X-PM-Metadata-ORDER-md5: x',
  'X-PM-Metadata-zero: 0',
  'X-PM-Metadata-no: false',
  `X-PM-Metadata-long: ${'v'.repeat(80)}`,
  'X-PM-TrackOpens: false',
  'X-PM-TrackLinks: HtmlAndText',
  'X-PM-KeepID: true',
  'X-PM-Bounce-Type: HardBounce',
]

let server: Awaited<ReturnType<typeof startSmtpServer>>
beforeAll(async () => {
  server = await startSmtpServer({ auth: 'none' })
})
afterAll(() => server.close())

const address = { from: 'a@example.com', to: 'b@example.com', subject: 'Hello' }
const envelope = { from: 'a@example.com', to: ['b@example.com'] }

function connect(options: object = {}, defaults?: object): Transporter {
  const { host, port, ca } = server
  return createTransport({ host, port, requireTLS: true, tls: { ca }, ...options }, defaults) as Transporter
}

/** Sends, and returns the lines of the header block that begin with X-, as the server received them. */
async function postmarkLines(transporter: Transporter, message: object): Promise<string[]> {
  server.clear()
  await transporter.sendMail(message)
  const { headerLines } = server.mails[0]!
  transporter.close()
  let ours = false
  return headerLines.filter((line) => {
    if (!/^[ \t]/.test(line)) ours = /^x-/i.test(line)
    return ours
  })
}

const viaPlugin = (transporter: Transporter) => {
  transporter.use('compile', createCompileStep())
  return transporter
}

/** A raw message without a Postmark header. */
const RAW = 'From: a@example.com\r\nTo: b@example.com\r\nSubject: raw\r\n\r\nHello'

const viaAttach = (transporter: Transporter): Transporter => attachPostmark(transporter)

describe.each([
  ['attachPostmark', viaAttach],
  ['the compile step alone', viaPlugin],
] as const)('%s', (_name, attach) => {
  it.each([
    ['text', { text: 'Hello' }],
    ['html', { html: '<p>Hello</p>' }],
    ['multipart', { text: 'Hello', html: '<p>Hello</p>' }],
    ['attachment', { text: 'Hello', attachments: [{ filename: 'a.txt', content: 'a' }] }],
    ['calendar', { text: 'Hello', icalEvent: { content: 'BEGIN:VCALENDAR' } }],
  ])('writes every header byte-exact on a %s mail', async (_kind, content) => {
    const lines = await postmarkLines(attach(connect()), { ...address, ...content, postmark: ALL })
    expect(lines).toEqual(LINES)
  })

  it.each([
    ['text', () => RAW],
    ['bytes', () => Buffer.from(RAW)],
    ['a stream', () => Readable.from([RAW.slice(0, 40), RAW.slice(40)])],
    ['an object with content', () => ({ content: RAW })],
    ['a data URI', () => ({ path: `data:message/rfc822;base64,${btoa(RAW)}` })],
  ])('writes every header in front of a raw message given as %s', async (_shape, raw) => {
    const lines = await postmarkLines(attach(connect()), { envelope, raw: raw(), postmark: ALL })
    expect(lines).toEqual(LINES)
    expect(server.mails[0]!.headerLines.at(-1)).toBe('Subject: raw')
    expect(server.mails[0]!.body).toMatch(/^Hello/)
  })

  it('leaves a header that a raw message has already, and adds the others', async () => {
    const raw = 'x-pm-tag: own\nFrom: a@example.com\nTo: b@example.com\nSubject: raw\n\nHello'
    const lines = await postmarkLines(attach(connect()), {
      envelope,
      raw,
      postmark: { tag: 'other', keepId: true },
    })
    expect(lines).toEqual(['X-PM-KeepID: true', 'x-pm-tag: own'])
  })

  it.each([
    ['white space', ' folded\r\nSubject: raw\r\n\r\nHello', 'starts with white space'],
    ['an mbox line', 'From a@example.com Mon\r\nSubject: raw\r\n\r\nHello', 'starts with an mbox line'],
    ['no header', 'Hello', 'does not start with a header line'],
  ])('refuses a raw message that begins with %s', async (_what, raw, found) => {
    server.clear()
    const sent = attach(connect()).sendMail({ envelope, raw, postmark: { tag: 'a' } } as object)
    await expect(sent).rejects.toMatchObject({
      code: 'ERR_POSTMARK_PREFLIGHT',
      problems: [{ path: 'raw', found }],
    })
    expect(server.mails).toHaveLength(0)
  })

  it('holds Nodemailer to its access flags when raw names a file', async () => {
    const sent = attach(connect({ disableFileAccess: true })).sendMail({
      envelope,
      raw: { path: 'package.json' },
    } as object)
    await expect(sent).rejects.toMatchObject({ code: 'EFILEACCESS' })
  })

  it.each([
    ['a map', { 'X-Other': '1', 'x-pm-tag': 'explicit' }],
    [
      'an array',
      [
        { key: 'X-Other', value: '1' },
        { key: 'X-PM-TAG', value: 'explicit' },
      ],
    ],
    ['a map with a prepared value', { 'X-Other': '1', 'X-PM-Tag': { prepared: true, value: 'explicit' } }],
  ])(
    'takes explicit headers from %s, keeps the others, and writes one exact line each',
    async (_shape, headers) => {
      const frozen = deepFreeze({
        ...address,
        text: 'Hello',
        headers,
        postmark: { tag: 'field', metadata: { customerId: 1 } },
      })
      const lines = await postmarkLines(attach(connect()), frozen)
      expect(lines.toSorted()).toEqual(['X-Other: 1', 'X-PM-Metadata-customerId: 1', 'X-PM-Tag: explicit'])
    },
  )

  it('takes an explicit header given as a single pair', async () => {
    const headers = Object.freeze({ key: 'X-PM-Tag', value: 'explicit' })
    expect(await postmarkLines(attach(connect()), { ...address, headers })).toEqual(['X-PM-Tag: explicit'])
  })

  it('keeps the caller\u2019s own spelling function for all other headers', async () => {
    const normalizeHeaderKey = (key: string) => key.toUpperCase()
    const message = { ...address, headers: { 'x-other': '1' }, normalizeHeaderKey, postmark: { tag: 'a' } }
    expect((await postmarkLines(attach(connect()), message)).toSorted()).toEqual([
      'X-OTHER: 1',
      'X-PM-Tag: a',
    ])
  })

  it('sends a value outside ASCII as encoded words, with the exact name', async () => {
    const lines = await postmarkLines(attach(connect()), { ...address, postmark: { tag: 'Grüße' } })
    expect(lines).toEqual(['X-PM-Tag: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?='])
  })

  it('keeps a tag with spaces on one line up to the 998 characters of RFC 5322', async () => {
    const tag = 'word '.repeat(197).trim()
    expect(await postmarkLines(attach(connect()), { ...address, postmark: { tag } })).toEqual([
      `X-PM-Tag: ${tag}`,
    ])
  })

  it.each([
    [998, 1],
    [999, 14],
    [1010, 14],
  ])(
    'writes a tag that makes a line of %i characters in %i line(s), of which none is longer than that',
    async (length, count) => {
      const tag = 'word '
        .repeat(250)
        .slice(0, length - 'X-PM-Tag: '.length - 1)
        .concat('x')
      const lines = await postmarkLines(attach(connect()), { ...address, postmark: { tag } })
      expect([lines.length, lines.join('')]).toEqual([count, `X-PM-Tag: ${tag}`])
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(count === 1 ? 998 : 76)
    },
  )

  it('folds what it encodes', async () => {
    const metadata = { long: 'Grüße '.repeat(13).trim() }
    const lines = await postmarkLines(attach(connect()), { ...address, postmark: { metadata } })
    expect(lines.length).toBeGreaterThan(1)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(76)
  })

  it('leaves quotation marks and what looks like an encoded word as they are', async () => {
    const metadata = { quoted: 'say "hi"', json: '{"a":1}', word: '=?utf-8?Q?x?= =?' }
    expect(await postmarkLines(attach(connect()), { ...address, postmark: { metadata } })).toEqual([
      'X-PM-Metadata-quoted: say "hi"',
      'X-PM-Metadata-json: {"a":1}',
      'X-PM-Metadata-word: =?utf-8?Q?x?= =?',
    ])
  })

  it('adds nothing where nobody asks for anything', async () => {
    expect(await postmarkLines(attach(connect()), { ...address, headers: { 'X-Other': '1' } })).toEqual([
      'X-Other: 1',
    ])
  })

  it('writes the same through a pool, and when it is applied twice', async () => {
    const transporter = attach(attach(connect({ pool: true })))
    const send = () =>
      runWithPostmark({ tag: 'ambient' }, () =>
        transporter.sendMail({ ...address, postmark: { tag: null, keepId: true } } as object),
      )
    server.clear()
    await Promise.all([send(), send()])
    transporter.close()
    for (const mail of server.mails) {
      expect(mail.headerLines.filter((line) => line.startsWith('X-'))).toEqual(['X-PM-KeepID: true'])
    }
    expect(server.mails).toHaveLength(2)
  })
})

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const each of Object.values(value)) deepFreeze(each)
    Object.freeze(value)
  }
  return value
}
