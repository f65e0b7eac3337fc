import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { PostmarkProblem } from '../problems/problem.js'
import { FORBIDDEN_EXTENSIONS, MESSAGE_LIMITS } from '../vocabulary/limits.js'
import { POSTMARK_FIELDS } from '../vocabulary/vocabulary.js'
import { checkMessage } from './check-message.js'

/** An email with which nothing is wrong; the size of its text is not known. */
const FINE = { from: 'shop@example.com', to: 'ann@example.com', text: { path: '/nowhere' } }
const check = (message: object) => checkMessage({ ...FINE, ...message })
const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'x']))
const addresses = (count: number, start = 0) =>
  Array.from({ length: count }, (_, i) => `u${start + i}@example.com`)
const objects = (count: number, start = 0) =>
  addresses(count, start).map((address) => ({ name: 'A, B', address }))
const ofBytes = (bytes: number) => Buffer.alloc(bytes, 'x')
/** So many bytes of UTF-8 in fewer characters: limits of size count bytes. */
const text = (bytes: number) => 'é'.repeat(Math.floor(bytes / 2)) + 'x'.repeat(bytes % 2)

/** The beginning of a raw message. */
const RAW = 'From: a@example.com\r\nTo: b@example.com\r\n'

const MB = 1024 * 1024
/** The most bytes of attachments whose base64 is 10 MB. */
const ATTACHABLE = (10 * MB * 3) / 4

describe('checkMessage at each limit', () => {
  const limits: readonly (readonly [
    name: string,
    message: (count: number) => object,
    atLimit: number,
    problem: Partial<PostmarkProblem>,
  ])[] = [
    [
      'metadata keys',
      (n) => ({ postmark: { metadata: keys(n) } }),
      10,
      { path: 'postmark.metadata', found: 'has 11 keys', limit: 'at most 10 keys' },
    ],
    [
      'metadata keys in headers',
      (n) => ({ headers: Array.from({ length: n }, (_, i) => ({ key: `X-PM-Metadata-k${i}`, value: 'x' })) }),
      10,
      { path: 'headers.X-PM-Metadata-', found: 'has 11 keys', limit: 'at most 10 keys' },
    ],
    [
      'characters of a metadata key',
      (n) => ({ postmark: { metadata: { ['k'.repeat(n)]: 'x' } } }),
      20,
      {
        path: `postmark.metadata.${'k'.repeat(21)}`,
        found: 'has a key of 21 characters',
        limit: 'at most 20 characters',
      },
    ],
    [
      'characters of a metadata key in a header',
      (n) => ({ headers: { [`X-PM-Metadata-${'k'.repeat(n)}`]: 'x' } }),
      20,
      { path: `headers.X-PM-Metadata-${'k'.repeat(21)}`, found: 'has a key of 21 characters' },
    ],
    [
      'characters of a metadata value',
      (n) => ({ postmark: { metadata: { k: 'x'.repeat(n) } } }),
      80,
      { path: 'postmark.metadata.k', found: 'has 81 characters', limit: 'at most 80 characters' },
    ],
    [
      'characters of a metadata value in a header',
      (n) => ({ headers: { 'x-pm-metadata-k': { prepared: true, value: 'x'.repeat(n) } } }),
      80,
      { path: 'headers.X-PM-Metadata-k', found: 'has 81 characters' },
    ],
    [
      'characters of a tag',
      (n) => ({ postmark: { tag: 'x'.repeat(n) } }),
      1000,
      { path: 'postmark.tag', found: 'has 1001 characters', limit: 'at most 1000 characters' },
    ],
    [
      'characters of a tag in a header',
      (n) => ({ headers: { 'X-PM-Tag': 'x'.repeat(n) } }),
      1000,
      { path: 'headers.X-PM-Tag', found: 'has 1001 characters' },
    ],
    [
      'characters of a stream',
      (n) => ({ postmark: { messageStream: 'x'.repeat(n) } }),
      30,
      {
        path: 'postmark.messageStream',
        found: 'has 31 characters',
        limit: expect.stringContaining('30 characters'),
        errorCode: 1235,
      },
    ],
    [
      'letters of a bounce type',
      (n) => ({ postmark: { bounceType: 'x'.repeat(n) } }),
      50,
      { path: 'postmark.bounceType' },
    ],
    [
      'recipients as one string',
      (n) => ({ to: addresses(n).join(', ') }),
      50,
      { path: 'to', found: 'has 51 recipients including cc and bcc', limit: 'at most 50' },
    ],
    [
      'recipients as an array',
      (n) => ({ to: addresses(n) }),
      50,
      { path: 'to', found: expect.stringContaining('51') },
    ],
    ['recipients as objects', (n) => ({ to: objects(n) }), 50, { path: 'to' }],
    [
      'recipients in To, Cc and Bcc',
      (n) => ({ to: addresses(20).join(), cc: objects(20, 20), bcc: addresses(n - 40, 40) }),
      50,
      { path: 'to' },
    ],
    ['recipients in Bcc alone', (n) => ({ to: undefined, bcc: addresses(n) }), 50, { path: 'to' }],
    ['recipients in a group', (n) => ({ to: `Team: ${addresses(n).join(', ')};` }), 50, { path: 'to' }],
    [
      'recipients in strings of an array',
      (n) => ({ to: [addresses(25).join(), addresses(n - 25, 25).join(';')] }),
      50,
      { path: 'to' },
    ],
    [
      'recipients in nested arrays',
      (n) => ({ to: [addresses(25), [objects(n - 25, 25)]] }),
      50,
      { path: 'to' },
    ],
    [
      'recipients of the envelope',
      (n) => ({ to: 'a@example.com', envelope: { to: addresses(25), cc: addresses(n - 25, 25) } }),
      50,
      { path: 'to' },
    ],
    [
      'recipients in a map of headers',
      (n) => ({ to: undefined, headers: { To: addresses(25).join(), cc: addresses(n - 25, 25) } }),
      50,
      { path: 'to' },
    ],
    [
      'recipients in an array of headers',
      (n) => ({
        to: undefined,
        headers: [
          { key: 'TO', value: addresses(25).join() },
          { key: 'Bcc', value: addresses(n - 25, 25).join() },
        ],
      }),
      50,
      { path: 'to' },
    ],
    [
      'recipients in one header',
      (n) => ({ to: undefined, headers: { key: 'To', value: addresses(n).join() } }),
      50,
      { path: 'to' },
    ],
    [
      'recipients in the message and in headers',
      (n) => ({ to: addresses(25), headers: { cc: addresses(n - 25, 25).join() } }),
      50,
      { path: 'to' },
    ],
    [
      'bytes of text',
      (n) => ({ text: text(n) }),
      5 * MB,
      { path: 'text', found: `has ${5 * MB + 1} bytes`, limit: `at most ${5 * MB} bytes` },
    ],
    ['bytes of html', (n) => ({ html: text(n) }), 5 * MB, { path: 'html', found: `has ${5 * MB + 1} bytes` }],
    ['bytes of text in a buffer', (n) => ({ text: ofBytes(n) }), 5 * MB, { path: 'text' }],
    [
      'bytes of html in an object',
      (n) => ({ html: { content: ofBytes(n).toString('hex'), encoding: 'hex' } }),
      5 * MB,
      { path: 'html' },
    ],
    [
      'bytes of all',
      (n) => ({
        text: text(5 * MB),
        html: text(n - 5 * MB - 4),
        attachments: [{ filename: 'a.txt', content: 'a' }],
      }),
      10 * MB,
      {
        path: 'message',
        found: `has ${10 * MB + 1} bytes, counting attachments in base64`,
        limit: `at most ${10 * MB} bytes`,
      },
    ],
    [
      'bytes of a raw message',
      (n) => ({
        raw: Buffer.concat([
          Buffer.from(`${RAW}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHi\r\n--b\r\n`),
          Buffer.from('Content-Type: image/png\r\n\r\n'),
          ofBytes(n),
          Buffer.from('\r\n--b--\r\n'),
        ]),
      }),
      ATTACHABLE - 3,
      { path: 'message' },
    ],
    [
      'bytes of a text in a raw message',
      (n) => ({ raw: `${RAW}\r\n${text(n)}` }),
      5 * MB,
      { path: 'raw.text', found: `has ${5 * MB + 1} bytes` },
    ],
    ['bytes of an AMP part', (n) => ({ amp: text(n) }), ATTACHABLE, { path: 'message' }],
    [
      'bytes of a part for watches',
      (n) => ({ watchHtml: { content: ofBytes(n) } }),
      ATTACHABLE,
      { path: 'message' },
    ],
    [
      'bytes of an alternative',
      (n) => ({ alternatives: [{ contentType: 'text/x-web-markdown', content: text(n) }] }),
      ATTACHABLE,
      { path: 'message' },
    ],
    [
      'bytes of a calendar event, which goes out twice',
      (n) => ({ icalEvent: { content: ofBytes(n) } }),
      ATTACHABLE / 2,
      { path: 'message' },
    ],
    [
      'bytes of an html that is an alternative',
      (n) => ({ text: undefined, alternatives: { contentType: 'text/html', content: text(n) } }),
      5 * MB,
      { path: 'alternatives[0]' },
    ],
    [
      'bytes of a buffer that is attached',
      (n) => ({ attachments: [{ filename: 'a.pdf', content: ofBytes(n) }] }),
      ATTACHABLE,
      { path: 'message' },
    ],
    [
      'bytes of texts that are attached',
      (n) => ({
        attachments: [
          { filename: 'a.txt', content: text(ATTACHABLE / 2) },
          { filename: 'b.txt', content: text(n - ATTACHABLE / 2) },
        ],
      }),
      ATTACHABLE,
      { path: 'message' },
    ],
    [
      'bytes of base64 that is attached',
      (n) => ({
        attachments: [{ filename: 'a.pdf', content: ofBytes(n).toString('base64'), encoding: 'base64' }],
      }),
      ATTACHABLE,
      { path: 'message' },
    ],
    [
      'bytes of a data URL that is attached',
      (n) => ({
        attachments: [
          { filename: 'a.pdf', path: `data:application/pdf;base64,${ofBytes(n).toString('base64')}` },
        ],
      }),
      ATTACHABLE,
      { path: 'message' },
    ],
    [
      'characters of the subject',
      (n) => ({ subject: 'x'.repeat(n) }),
      2000,
      { path: 'subject', found: 'has 2001 characters', limit: 'at most 2000 characters' },
    ],
    [
      'characters of From',
      (n) => ({ from: `${'x'.repeat(n - 16)} <a@example.com>` }),
      255,
      { path: 'from', found: 'has 256 characters', limit: 'at most 255 characters' },
    ],
    [
      'characters of From as an object',
      (n) => ({ from: { name: 'x'.repeat(n - 18), address: 'a@example.com' } }),
      255,
      { path: 'from', found: 'has 256 characters' },
    ],
    [
      'characters of an address in From',
      (n) => ({ from: [{ name: '', address: `${'x'.repeat(n - 12)}@example.com` }] }),
      255,
      { path: 'from', found: 'has 256 characters' },
    ],
  ]

  it.each(limits)('passes the most %s and refuses one more', (_name, message, atLimit, problem) => {
    expect(check(message(atLimit))).toEqual([])
    expect(check(message(atLimit + 1))).toEqual([
      expect.objectContaining({
        severity: 'error',
        errorCode: 300,
        found: expect.any(String),
        limit: expect.any(String),
        cure: expect.stringMatching(/\.$/),
        ...problem,
      }),
    ])
  })

  it('agrees with the limits that are exported', () => {
    expect(MESSAGE_LIMITS).toEqual({
      recipients: 50,
      bodyBytes: 5 * MB,
      messageBytes: 10 * MB,
      subjectLength: 2000,
      fromLength: 255,
    })
  })

  it('counts a recipient once who is named twice', () => {
    expect(check({ to: addresses(50), cc: addresses(50), bcc: objects(50) })).toEqual([])
  })

  it('counts no header whose place a field of the message takes', () => {
    expect(check({ to: addresses(50), headers: { To: addresses(50, 50).join() } })).toEqual([])
  })

  it('counts the envelope alone where there is one, as Nodemailer sends', () => {
    expect(check({ to: addresses(51), envelope: { to: 'a@example.com' } })).toEqual([])
  })

  it.each(['a-b', 'a_b', 'a1', 'outbound', 'broadcast', 'pmx'])('passes the stream %s', (messageStream) => {
    expect(check({ postmark: { messageStream } })).toEqual([])
  })

  it.each([
    ['1a', 1235],
    ['A', 1235],
    ['-a', 1235],
    ['_a', 1235],
    ['a.b', 1235],
    ['a b', 1235],
    ['ä', 1235],
    ['pm-a', 1235],
    ['pm-', 1235],
    ['inbound', 1236],
  ])('refuses the stream %j on the message and in a header', (stream, errorCode) => {
    expect(check({ postmark: { messageStream: stream } })).toMatchObject([
      { path: 'postmark.messageStream', errorCode },
    ])
    expect(check({ headers: { 'X-PM-Message-Stream': stream } })).toMatchObject([
      { path: 'headers.X-PM-Message-Stream', errorCode },
    ])
  })
})

describe('checkMessage on addresses', () => {
  it.each([
    ['a string', { to: 'jürgen@example.com' }],
    ['a name and address', { cc: 'Jürgen <jürgen@example.com>' }],
    ['an object', { bcc: { name: 'J', address: 'jürgen@example.com' } }],
    ['a group', { to: 'Team: jürgen@example.com;' }],
    ['an array', { to: ['a@example.com', ['jürgen@example.com']] }],
    ['the envelope', { envelope: { to: ['jürgen@example.com'] } }],
    ['a header', { headers: { Bcc: 'jürgen@example.com' } }],
    ['one header', { headers: { key: 'Bcc', value: 'jürgen@example.com' } }],
  ])('refuses a mailbox name outside ASCII in %s', (_title, message) => {
    expect(check(message)).toMatchObject([
      {
        path: 'to',
        found: 'has non-ASCII characters before the @',
        limit: 'only ASCII before the @',
        severity: 'error',
        errorCode: 300,
      },
    ])
  })

  it.each([
    ['a domain outside ASCII', { to: 'a@bücher.example' }],
    [
      'a display name outside ASCII',
      { to: 'Jürgen <a@example.com>', cc: { name: 'Zoë', address: 'a@example.com' } },
    ],
    ['empty recipients beside others', { cc: '', bcc: [] }],
    [
      'commas in display names',
      {
        to: addresses(50)
          .map((address) => `"A, B, C" <${address}>`)
          .join(', '),
      },
    ],
  ])('passes %s', (_title, message) => {
    expect(check(message)).toEqual([])
  })
})

describe('checkMessage on From', () => {
  const missing = {
    found: 'is missing',
    cure: 'Set `from` on the message or in the defaults of the transporter.',
  }
  const raw = (line: string) => `${line}To: b@example.com\r\n\r\nHi`

  it.each<[string, object, object]>([
    ['no From', { from: undefined }, { path: 'from', ...missing }],
    ['an empty From', { from: '' }, { path: 'from', ...missing }],
    ['an empty list', { from: [] }, { path: 'from', ...missing }],
    ['a word', { from: 'shop' }, { path: 'from', found: 'is "shop", which contains no address' }],
    ['a name', { from: 'My Shop' }, { path: 'from', found: 'is "My Shop", which contains no address' }],
    ['a name in angle brackets', { from: '<My Shop>' }, { path: 'from' }],
    ['only a name', { from: { name: 'Shop' } }, { path: 'from', found: 'contains no address' }],
    ['an object with a word', { from: { name: 'Shop', address: 'shop' } }, { path: 'from' }],
    ['half an address', { from: 'shop@' }, { path: 'from' }],
    [
      'a header with a word',
      { from: '', headers: { From: 'shop' } },
      { path: 'from', found: 'contains no address' },
    ],
    [
      'a mailbox outside ASCII',
      { from: 'Jürgen <jürgen@example.com>' },
      { path: 'from', found: 'has non-ASCII characters before the @', limit: 'only ASCII before the @' },
    ],
    ['a raw message without one', { raw: raw('') }, { path: 'raw.From', ...missing }],
    ['a raw message with a word', { raw: Buffer.from(raw('From: shop\r\n')) }, { path: 'raw.From' }],
    [
      'a raw message with a mailbox outside ASCII',
      { raw: { content: raw('from: =?utf-8?q?J?= \r\n <jürgen@example.com>\r\n') } },
      { path: 'raw.From', found: 'has non-ASCII characters before the @' },
    ],
    [
      'a raw message without one, with an envelope',
      { raw: raw(''), envelope: { from: 'a@example.com', to: 'b@example.com' } },
      { path: 'raw.From' },
    ],
  ])('refuses %s', (_title, message, problem) => {
    const [first, ...rest] = check(message).filter(({ severity }) => severity === 'error')
    expect(first).toMatchObject({ errorCode: 300, cure: expect.stringMatching(/\.$/), ...problem })
    expect(rest).toEqual([])
  })

  it.each<[string, object]>([
    ['an address', { from: 'shop@example.com' }],
    ['a name with a comma', { from: '"Shop, Inc." <shop@example.com>' }],
    ['a name outside ASCII', { from: 'Café <shop@example.com>' }],
    ['a domain outside ASCII', { from: 'shop@bücher.example' }],
    ['an object', { from: { name: '', address: 'shop@example.com' } }],
    ['a list', { from: [{ name: 'Shop', address: 'shop@example.com' }] }],
    ['a quoted mailbox', { from: '"john doe"@example.com' }],
    ['a header in a map', { from: undefined, headers: { from: 'shop@example.com' } }],
    ['a header in a list', { from: undefined, headers: [{ key: 'From', value: 'shop@example.com' }] }],
    ['one header', { from: undefined, headers: { key: 'FROM', value: 'shop@example.com' } }],
    ['the From line of a raw message', { from: undefined, raw: raw('from:\tShop\r\n <a@example.com>\r\n') }],
  ])('passes %s', (_title, message) => {
    expect(check(message)).toEqual([])
  })
})

describe('checkMessage on what REST refuses and SMTP is not documented to', () => {
  it.each<[string, object]>([
    ['without recipients', { to: undefined }],
    ['with empty recipients', { to: '', cc: [], bcc: '' }],
    ['to undisclosed recipients', { to: 'undisclosed-recipients:;' }],
    [
      'with recipients in the envelope alone',
      { to: undefined, envelope: { from: 'shop@example.com', to: 'a@example.com' } },
    ],
    ['given as raw without To', { raw: 'From: a@example.com\r\n\r\nHi' }],
  ])('warns of an email %s', (_title, message) => {
    expect(check(message)).toEqual([
      {
        path: 'to',
        found: 'is missing, and so are cc and bcc',
        limit: 'at least one recipient',
        cure:
          'Add a recipient to one of them. Postmark’s REST API refuses such emails with ' +
          '"Zero recipients specified"; it is not documented whether SMTP does too.',
        severity: 'warning',
      },
    ])
  })

  it.each<[string, object]>([
    ['without text and html', { text: undefined }],
    ['with an empty text', { text: '', html: '' }],
    ['with white space for text', { text: ' \r\n', html: Buffer.from('\n') }],
    ['with an empty text in an object', { text: { content: '' } }],
    ['with an attachment only', { text: undefined, attachments: [{ filename: 'a.txt', content: 'Hi' }] }],
    [
      'with a text that is attached',
      { text: undefined, attachments: { filename: false, contentType: 'text/plain', content: 'Hi' } },
    ],
    ['with a calendar event only', { text: undefined, icalEvent: 'BEGIN:VCALENDAR' }],
    ['given as raw without a body', { raw: `${RAW}\r\n\r\n` }],
    ['given as raw with an image only', { raw: `${RAW}Content-Type: image/png\r\n\r\nHi` }],
    ['given as raw with a text that is attached', { raw: `${RAW}Content-Disposition: attachment\r\n\r\nHi` }],
  ])('warns of an email %s', (_title, message) => {
    expect(check(message)).toEqual([
      {
        path: 'text',
        found: 'is missing, and so is html',
        limit: 'text, html, or both',
        cure:
          'Set one of them. Postmark’s REST API refuses such emails with ' +
          '"Provide either email TextBody or HtmlBody or both."; it is not documented whether SMTP does too.',
        severity: 'warning',
      },
    ])
  })

  it.each<[string, object]>([
    ['with html only', { text: undefined, html: '<p>Hi</p>' }],
    ['with a Readable for text', { text: Readable.from(['Hi']) }],
    [
      'with an html that is an alternative',
      { text: undefined, alternatives: [{ contentType: 'text/html', content: 'Hi' }] },
    ],
    ['with an alternative without a type', { text: undefined, alternatives: [{ content: 'Hi' }] }],
    ['with recipients in Bcc only', { to: undefined, bcc: 'a@example.com' }],
    [
      'with recipients in a header',
      { to: undefined, headers: { Cc: { name: '', address: 'a@example.com' } } },
    ],
    [
      'given as raw with parts',
      {
        raw: `${RAW}Content-Type: multipart/alternative; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\nHi\r\n--b--`,
      },
    ],
    ['given as raw with line feeds alone', { raw: 'From: a@example.com\nCc: b@example.com\n\nHi\n' }],
  ])('passes an email %s', (_title, message) => {
    expect(check(message)).toEqual([])
  })
})

describe('checkMessage on the envelope', () => {
  it.each<[string, object]>([
    [
      'the same address',
      { from: 'Shop <shop@example.com>', envelope: { from: 'shop@example.com', to: 'a@example.com' } },
    ],
    [
      'another spelling of it',
      {
        from: { address: 'SHOP@Bücher.example' },
        envelope: { from: '<shop@xn--bcher-kva.example>', to: 'a@example.com' },
      },
    ],
    [
      'the address of a header',
      {
        from: undefined,
        headers: { From: 'shop@example.com' },
        envelope: { from: 'shop@example.com', to: 'a@example.com' },
      },
    ],
    [
      'the address of a raw message',
      { from: undefined, raw: `${RAW}\r\nHi`, envelope: { from: 'a@example.com', to: 'a@example.com' } },
    ],
  ])('passes a sender that is %s as From', (_title, message) => {
    expect(check(message)).toEqual([])
  })

  it('warns of another sender', () => {
    expect(check({ envelope: { from: 'bounces@example.com', to: 'a@example.com' } })).toEqual([
      {
        path: 'envelope.from',
        found: 'chooses a Return-Path',
        limit: 'the address of From',
        cure: 'The recipient does not see it: Postmark sets its own Return-Path.',
        severity: 'warning',
      },
    ])
  })
})

describe('checkMessage on attachments', () => {
  const all =
    'vbs exe bin bat chm com cpl crt hlp hta inf ins isp jse lnk mdb pcd pif reg scr sct shs vbe vba wsf wsh wsl msc msi msp mst'

  it('forbids the extensions that Postmark lists', () => {
    expect([...FORBIDDEN_EXTENSIONS].sort()).toEqual(all.split(' ').sort())
  })

  it.each([...FORBIDDEN_EXTENSIONS])('refuses .%s in a name, a path and a URL', (extension) => {
    const attachments = [
      { filename: 'fine.txt', content: 'x' },
      { filename: `a.txt.${extension.toUpperCase()}`, content: 'x' },
      { path: `/tmp/a.${extension}` },
      { href: `https://example.com/a.${extension}?v=1.txt` },
    ]
    const refused = { limit: 'a file type that Postmark accepts', severity: 'error', errorCode: 411 }
    const unnamed = {
      ...refused,
      found: `has no file name, so Nodemailer sends it as "a.${extension}"`,
      cure: 'Set a `filename` with the right extension, put the file in an archive, or link to it.',
    }
    expect(check({ attachments })).toEqual([
      {
        ...refused,
        path: 'attachments[1].filename',
        found: `ends in .${extension}`,
        cure: 'Put the file in an archive, or link to it.',
      },
      { ...unnamed, path: 'attachments[2]' },
      { ...unnamed, path: 'attachments[3]' },
    ])
  })

  it('looks at one attachment that is in no array', () => {
    expect(check({ attachments: { filename: 'a.exe', content: 'x' } })).toMatchObject([
      { path: 'attachments[0].filename' },
    ])
  })

  it('reads no stream, no file and no URL', () => {
    const content = new Readable({
      read() {
        throw new Error('read')
      },
    })
    const attachments = [
      { filename: 'a.pdf', content },
      { filename: 'b.pdf', path: '/nowhere' },
      { filename: 'c.pdf', href: 'https://nowhere.invalid/' },
    ]
    expect(check({ text: content, html: { path: '/nowhere' }, attachments })).toEqual([])
    expect(check({ from: '', raw: content })).toEqual([])
    expect(check({ from: '', raw: { path: '/nowhere' } })).toEqual([])
    expect(content.readableDidRead).toBe(false)
  })
})

describe('checkMessage on mistakes', () => {
  const mistakes: readonly (readonly [string, object, Partial<PostmarkProblem>])[] = [
    [
      'X-PM-Track-Opens with hyphens',
      { headers: { 'X-PM-Track-Opens': 'true' } },
      { path: 'headers.X-PM-Track-Opens', cure: expect.stringContaining('Write X-PM-TrackOpens.') },
    ],
    [
      'X-PM-Track-Links with hyphens',
      { headers: [{ key: 'X-PM-Track-Links', value: 'None' }] },
      { path: 'headers.X-PM-Track-Links', cure: expect.stringContaining('Write X-PM-TrackLinks.') },
    ],
    [
      'metadata as JSON in one header',
      { headers: { 'X-PM-Metadata': '{"a":"1"}' } },
      { path: 'headers.X-PM-Metadata', cure: expect.stringContaining('X-PM-Metadata-<key>') },
    ],
    [
      'an array as tag',
      { postmark: { tag: ['a', 'b'] } },
      { path: 'postmark.tag', found: 'is an array of length 2' },
    ],
    [
      'an array of one as tag',
      { postmark: { tag: ['a'] } },
      { path: 'postmark.tag', found: 'is an array of length 1' },
    ],
    [
      'two tags in one header',
      { headers: { 'X-PM-Tag': ['a', 'b'] } },
      { path: 'headers.X-PM-Tag', found: 'is given twice' },
    ],
    [
      'two tags in two spellings',
      { headers: { 'X-PM-Tag': 'a', 'x-pm-tag': 'b' } },
      { path: 'headers.x-pm-tag', found: 'is given twice' },
    ],
    [
      'two tags in an array',
      {
        headers: [
          { key: 'X-Pm-Tag', value: 'a' },
          { key: 'X-PM-TAG', value: 'b' },
        ],
      },
      { path: 'headers.X-PM-TAG', found: 'is given twice' },
    ],
    ['tags', { postmark: { tags: 'a' } }, { path: 'postmark.tags', cure: 'Did you mean "tag"?' }],
    [
      'a header that Postmark writes',
      { headers: { 'X-PM-Message-Id': 'a' } },
      { path: 'headers.X-PM-Message-Id' },
    ],
    ['a line break in a tag', { postmark: { tag: 'a\r\nBcc: b@example.com' } }, { path: 'postmark.tag' }],
    [
      'a line break in a header value',
      { headers: { key: 'X-PM-Tag', value: { prepared: true, value: 'a\nb' } } },
      { path: 'headers.X-PM-Tag' },
    ],
    [
      'a header name with a line break',
      { headers: { 'X-PM-Metadata-a\r\nBcc': 'b' } },
      { path: 'headers["X-PM-Metadata-a\\r\\nBcc"]' },
    ],
    ['fields of a wrong kind', { postmark: 'tag' }, { path: 'postmark', found: 'is "tag"' }],
  ]
  const rawPart = { raw: 'Content-Type: text/plain\r\n\r\nHi' }
  it.each<[string, object, string]>([
    ['attachment', { attachments: [rawPart] }, 'attachments[0].raw'],
    ['alternative', { alternatives: [rawPart] }, 'alternatives[0].raw'],
    ['text', { text: rawPart }, 'text.raw'],
    ['html', { html: { raw: Readable.from('Hi') } }, 'html.raw'],
  ])('refuses a raw %s that is all there is, with which no header would go out', (_title, part, path) => {
    const addressed = { from: 'shop@example.com', to: 'ann@example.com' }
    const errors = (message: object) =>
      checkMessage({ ...addressed, ...message })
        .filter(({ severity }) => severity === 'error')
        .map((problem) => problem.path)
    expect(errors(part)).toEqual([path])
    expect(errors({ ...part, attachments: [rawPart, { filename: 'a.txt', content: 'x' }] })).toEqual([])
  })

  it.each(mistakes)('refuses %s', (_title, message, problem) => {
    expect(check(message)).toEqual([
      expect.objectContaining({ severity: 'error', errorCode: 300, ...problem }),
    ])
  })

  it.each([
    ['a DKIM signature', { dkim: { domainName: 'example.com' } }, 'dkim'],
    ['a tag outside ASCII', { postmark: { tag: 'é' } }, 'postmark.tag'],
    ['an empty tag', { headers: { 'X-PM-Tag': '' } }, 'headers.X-PM-Tag'],
    ['headers in a Map', { headers: new Map([['X-PM-Tag', 'a']]) }, 'headers'],
    ['headers in Headers', { headers: new Headers({ 'X-PM-Tag': 'a' }) }, 'headers'],
  ])('warns of %s', (_title, message, path) => {
    expect(check(message)).toEqual([expect.objectContaining({ path, severity: 'warning' })])
  })

  it('finds all problems at once', () => {
    const problems = check({
      from: `${'x'.repeat(244)}@example.com`,
      to: addresses(51),
      subject: 'x'.repeat(2001),
      text: text(5 * MB + 1),
      html: text(5 * MB + 1),
      attachments: [{ filename: 'a.exe', content: 'x' }],
      postmark: {
        messageStream: 'inbound',
        tag: ['a'],
        metadata: { ...keys(11), k0: 'x'.repeat(81), ['k'.repeat(21)]: 'x' },
        trackOpens: 'yes',
      },
      headers: { 'X-PM-Track-Opens': 'true', 'X-PM-Metadata': '{}', 'X-PM-RCPT': 'a' },
    })
    expect(problems.map(({ path }) => path).sort()).toEqual(
      [
        'attachments[0].filename',
        'from',
        'headers.X-PM-Metadata',
        'headers.X-PM-RCPT',
        'headers.X-PM-Track-Opens',
        'html',
        'message',
        'postmark.messageStream',
        'postmark.metadata',
        'postmark.metadata.k0',
        `postmark.metadata.${'k'.repeat(21)}`,
        'postmark.tag',
        'postmark.trackOpens',
        'subject',
        'text',
        'to',
      ].sort(),
    )
    expect(problems.every(({ severity }) => severity === 'error')).toBe(true)
  })

  it.each([{}, [], new Map(), new Headers(), null])('finds nothing wrong with no headers: %o', (headers) => {
    expect(check({ headers })).toEqual([])
  })

  it('finds nothing in an ordinary mail', () => {
    expect(
      check({
        from: 'Shop <shop@example.com>',
        to: 'Jane <jane@example.com>',
        subject: 'Your order',
        text: 'Thanks',
        html: '<p>Thanks</p>',
        attachments: [{ filename: 'invoice.pdf', content: Buffer.from('x') }],
        headers: { 'X-PM-Tag': 'order', 'X-Mailer': 'shop' },
        postmark: { messageStream: 'outbound', metadata: { order: 7, paid: false }, trackLinks: 'None' },
      }),
    ).toEqual([])
  })

  it.each(Object.keys(POSTMARK_FIELDS))('warns of a %s beside `postmark`, where it does nothing', (field) => {
    expect(check({ from: 'a@example.com', [field]: 'x' })).toMatchObject([
      { path: field, severity: 'warning', cure: `Write postmark: { ${field} }.` },
    ])
  })
})

it.each(['idempotencykey', 'idempotency_key', 'idempotency-key', 'IdempotencyKey', 'idempotenceKey'])(
  'warns of %s, which protects from nothing',
  (name) => {
    expect(check({ [name]: 'receipt-1' })).toMatchObject([
      {
        path: name,
        severity: 'warning',
        limit: 'idempotencyKey',
        cure: expect.stringContaining('Write idempotencyKey'),
      },
    ])
    expect(check({ idempotencyKey: 'receipt-1' })).toEqual([])
  },
)
