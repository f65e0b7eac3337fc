import { API_ERRORS, FORBIDDEN_EXTENSIONS } from '@postmark-smtp/core'
import { createTransport } from 'nodemailer'
import { describe, expect, it } from 'vitest'
import { type Sandbox, type SandboxOptions, startSandbox } from '../sandbox.js'
import { createPostmarkServer } from './postmark-server.js'

const FROM = 'shop@example.com'
const TO = 'ann@example.com'

/** An email whose header block is sent byte for byte. */
const withHeaders = (...headers: string[]) =>
  [`From: ${FROM}`, `To: ${TO}`, 'Subject: Hi', ...headers, '', 'Hello', ''].join('\r\n')
const raw = (...headers: string[]) => ({ envelope: { from: FROM, to: [TO] }, raw: withHeaders(...headers) })
const mail = (more: object) => ({ from: FROM, to: TO, subject: 'Hi', text: 'Hello', ...more })
const file = (filename: string) => mail({ attachments: [{ filename, content: 'x' }] })
const metadata = (count: number) => Array.from({ length: count }, (_, i) => `X-PM-Metadata-key-${i}: v`)

async function send(sandbox: Sandbox, message: object): Promise<string> {
  const { host, port, token } = sandbox
  const auth = { user: token, pass: token }
  const transport = createTransport({ host, port, ignoreTLS: true, auth })
  return (await transport.sendMail(message)).response
}

type Refused = [title: string, code: number, text: string, message: object, options?: SandboxOptions]
const REFUSED: Refused[] = [
  ['eleven metadata keys', 300, 'has 11 keys (expected: at most 10 keys)', raw(...metadata(11))],
  ['a metadata key of 21', 300, 'key of 21 characters', raw(`X-PM-Metadata-${'k'.repeat(21)}: v`)],
  ['a metadata value of 81', 300, 'has 81 characters', raw(`X-PM-Metadata-k: ${'v'.repeat(81)}`)],
  ['a tag of 1001', 300, 'has 1001 characters', raw(`X-PM-Tag: ${'t'.repeat(1001)}`)],
  ['two tags', 300, 'is given twice', raw('X-PM-Tag: a', 'X-PM-Tag: b')],
  [
    'fifty-one recipients',
    300,
    'has 51 recipients',
    mail({ to: [], bcc: Array.from({ length: 51 }, (_, i) => `a${i}@example.com`) }),
  ],
  ['a subject of 2001', 300, 'has 2001 characters', mail({ subject: 'é'.repeat(2001) })],
  [
    'a From of 256',
    300,
    'has 256 characters',
    { envelope: { from: FROM, to: [TO] }, raw: withHeaders().replace(FROM, `${'n'.repeat(237)} <${FROM}>`) },
  ],
  [
    'no From',
    300,
    "Invalid 'From' value.",
    { envelope: { from: FROM, to: [TO] }, raw: 'Subject: x\r\n\r\nHi\r\n' },
  ],
  [
    'a word in From',
    300,
    "Invalid 'From' address: 'shop'.",
    { envelope: { from: FROM, to: [TO] }, raw: 'From: shop\r\nSubject: x\r\n\r\nHi\r\n' },
  ],
  [
    'a name in the type of an attachment alone',
    411,
    'ends in .exe',
    mail({ attachments: [{ filename: false, contentType: 'application/pdf; name=a.exe', content: 'x' }] }),
  ],
  ['a forbidden attachment', 411, 'ends in .exe', file('setup.EXE')],
  ['one whose name is encoded', 411, 'ends in .vbs', file(`Grüße ${'ü'.repeat(60)}.vbs`)],
  [
    'one inside another part',
    411,
    'ends in .bat',
    mail({ html: '<img src="cid:a">', attachments: [{ filename: 'a.bat', content: 'x', cid: 'a' }] }),
  ],
  [
    'an email that is one itself',
    411,
    'ends in .com',
    raw('MIME-Version: 1.0', 'Content-Type: application/octet-stream; name="run.com"'),
  ],
  [
    'a sender that is not there',
    400,
    `supplied (${FROM}) is not a Sender`,
    mail({}),
    { senders: ['other.org'] },
  ],
  [
    'a sender that is not confirmed',
    401,
    `supplied (${FROM}) is not confirmed`,
    mail({}),
    { senders: [{ address: FROM, confirmed: false }, 'example.com'] },
  ],
  [
    'a pending account',
    412,
    "send email to the following domain(s): 'x.org'",
    mail({ cc: 'bob@x.org' }),
    { account: 'pending' },
  ],
  ['a blocked account', 413, 'not approved to send', mail({}), { account: 'blocked' }],
  [
    'an unknown stream',
    1235,
    "The stream provided: 'broadcasts' does not",
    raw('X-PM-Message-Stream: broadcasts'),
  ],
  [
    'an archived stream',
    1235,
    "The stream provided: 'old' does not",
    raw('X-PM-Message-Stream: old'),
    { streams: [{ id: 'old', archived: true }] },
  ],
  ['an inbound stream', 1236, 'Sending is not supported', raw('X-PM-Message-Stream: inbound')],
]

it.each(REFUSED)(
  'answers %s with 250, and bounces it with code %i',
  async (_, code, text, message, options = {}) => {
    await using sandbox = await startSandbox(options)
    expect(await send(sandbox, message)).toMatch(/^250 2\.0\.0 Ok: queued as /)
    const [refused] = sandbox.outbox
    expect(sandbox.bounces).toMatchObject([
      {
        type: 'SMTPApiError',
        typeCode: 100007,
        name: 'SMTP API error',
        errorCode: code,
        description: API_ERRORS[code]?.name,
        details: expect.stringContaining(text),
        recipient: refused?.envelope.to[0],
        inactive: false,
        canActivate: false,
      },
    ])
    const [bounce] = sandbox.bounces
    expect(bounce?.mail).toBe(refused)
    expect(bounce?.dump).toContain(`${bounce?.details}\r\nErrorCode: ${code}\r\n\r\n${refused?.raw}`)
    expect(refused?.verdict).toMatchObject({ outcome: 'refused', problems: [{ errorCode: code }] })
    // The email may have come from a transport with preflight on.
    for (const { cure } of refused!.verdict.problems) expect(cure).not.toMatch(/preflight on|^$/)
    expect(sandbox.events(refused!)).toMatchObject([{ recordType: 'Bounce', bounce }])
  },
)

it('refuses each extension that Postmark names, and no other', async () => {
  await using sandbox = await startSandbox()
  const attach = (extension: string) => ({ filename: `a.${extension}`, content: 'x' })
  await send(sandbox, mail({ attachments: [...FORBIDDEN_EXTENSIONS].map(attach) }))
  await send(sandbox, mail({ attachments: ['txt', 'pdf', 'zip', 'exe.txt'].map(attach) }))
  const [refused, sent] = sandbox.outbox
  expect(refused?.verdict.problems).toHaveLength(FORBIDDEN_EXTENSIONS.size)
  expect(sent?.verdict).toEqual({ outcome: 'sent', problems: [], notes: [] })
})

it('finds every problem of an email at once, and bounces it for the first', async () => {
  await using sandbox = await startSandbox({ senders: [] })
  await send(
    sandbox,
    raw(...metadata(11), 'X-PM-Message-Stream: none', 'Content-Disposition: x; filename=a.exe'),
  )
  expect(sandbox.outbox[0]?.verdict.problems.map(({ errorCode }) => errorCode)).toEqual([400, 1235, 300, 411])
  expect(sandbox.bounces).toMatchObject([{ errorCode: 400 }])
})

const MB = 1024 * 1024
const body = (bytes: number) => `${'x'.repeat(76)}\r\n`.repeat(bytes / 78 + 1).slice(0, bytes)
const part = (type: string, content: string, ...headers: string[]) =>
  ['--b', `Content-Type: ${type}`, ...headers, '', content, ''].join('\r\n')
const multipart = (...parts: string[]) =>
  withHeaders('Content-Type: multipart/mixed; boundary=b').replace('Hello', `${parts.join('')}--b--`)
const base64 = (bytes: number) => Buffer.alloc(bytes).toString('base64').replace(/.{76}/g, '$&\r\n')

describe('the size of an email', () => {
  it.each<[string, string, string | undefined]>([
    ['a text of 5 MB', multipart(part('text/plain', body(5 * MB - 2))), undefined],
    ['a larger text', multipart(part('text/plain', body(5 * MB + 1))), 'text has'],
    ['a larger text alone', withHeaders().replace('Hello', body(5 * MB + 1)), 'text has'],
    ['a larger html', multipart(part('text/plain', 'x'), part('text/html', body(5 * MB + 1))), 'html has'],
    [
      'a text of 5 MB in quoted-printable',
      multipart(part('text/plain', '=78'.repeat(4 * MB), 'Content-Transfer-Encoding: quoted-printable')),
      undefined,
    ],
    [
      'attachments of 7.8 MB, which are 10.4 MB in base64',
      multipart(part('a/b', base64(7.49 * MB), 'Content-Transfer-Encoding: base64')),
      undefined,
    ],
    [
      'larger attachments',
      multipart(part('a/b', base64(7.51 * MB), 'Content-Transfer-Encoding: base64')),
      'message has',
    ],
  ])('%s is within the limits, or not', (_, text, problem) => {
    const { verdict } = receive(text)
    if (problem === undefined) expect(verdict).toMatchObject({ outcome: 'sent', problems: [] })
    else
      expect(verdict.problems).toMatchObject([{ errorCode: 300, message: expect.stringContaining(problem) }])
  })
})

it('refuses a From whose mailbox name is outside ASCII', () => {
  expect(receive(withHeaders().replace(FROM, 'jürgen@example.com')).verdict.problems).toMatchObject([
    { errorCode: 300, path: 'from', message: expect.stringContaining('(expected: only ASCII before the @)') },
  ])
})

it.each([
  ['bücher.example', 'xn--bcher-kva.example'],
  ['xn--bcher-kva.example', 'Bücher.example'],
])('knows a sender and a suppression of %s in the form %s', (declared, sent) => {
  const server = createPostmarkServer({ senders: [declared] })
  const arrival = { secure: false, host: undefined, hostType: undefined, tokenStream: undefined }
  const post = (to: string) =>
    server.receive(
      Buffer.from(withHeaders().replace(FROM, `shop@${sent}`)),
      { from: FROM, to: [to] },
      arrival,
    )
  expect(post(TO).verdict.problems).toEqual([])
  server.suppress(`ann@${declared}`)
  expect(post(`ANN@${sent}`).verdict.problems).toMatchObject([{ errorCode: 406 }])
})

it('refuses a mailbox name outside ASCII', () => {
  expect(receive(withHeaders(), ['änn@example.com']).verdict.problems).toMatchObject([
    { errorCode: 300, path: 'to', message: expect.stringContaining('non-ASCII characters') },
  ])
})

function receive(text: string, to = [TO]) {
  const arrival = { secure: false, hostType: undefined, tokenStream: undefined }
  return createPostmarkServer().receive(Buffer.from(text), { from: FROM, to }, arrival)
}

describe('what is not known of Postmark, or does nothing there, is noted', () => {
  it.each<[string, string[], string]>([
    [
      'a misspelled header',
      ['X-PM-Track-Opens: true'],
      'Postmark ignores X-PM-Track-Opens. The correct header is X-PM-TrackOpens.',
    ],
    ['metadata as JSON', ['X-PM-Metadata: {}'], 'The correct header is X-PM-Metadata-<key>'],
    ['a header of Postmark itself', ['X-PM-RCPT: x'], 'Postmark writes X-PM-RCPT itself'],
    ['an unknown header', ['X-PM-Colour: red'], 'X-PM-Colour is not a Postmark header'],
    ['an encoded tag', ['X-PM-Tag: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?='], 'X-PM-Tag is encoded'],
    [
      'a value that means nothing',
      ['X-PM-TrackOpens: perhaps'],
      'has a value that Postmark does not document',
    ],
    ['a field that stands twice', ['X-PM-KeepID: true', 'X-PM-KeepID: true'], 'the sandbox uses the first'],
    ['a bounce type for a real address', ['X-PM-Bounce-Type: HardBounce'], 'X-PM-Bounce-Type does nothing'],
  ])('%s', (_, headers, note) => {
    const { verdict } = receive(withHeaders(...headers))
    expect(verdict).toMatchObject({ outcome: 'sent', notes: [expect.stringContaining(note)] })
  })

  it.each<[string, string[], string]>([
    ['two tags', ['X-PM-Tag: a', 'x-pm-tag: b'], 'the sandbox refuses the email'],
    ['a long metadata value', [`X-PM-Metadata-k: ${'v'.repeat(110)}`], 'left no trace'],
  ])('%s, beside the refusal', (_, headers, note) => {
    const { verdict } = receive(withHeaders(...headers))
    expect(verdict).toMatchObject({ outcome: 'refused', notes: [expect.stringContaining(note)] })
  })

  it.each<[string, string, string]>([
    ['no recipient in its lines', `From: ${FROM}\r\n\r\nHello\r\n`, 'with "Zero recipients specified"'],
    [
      'recipients that are not disclosed',
      `From: ${FROM}\r\nTo: undisclosed-recipients:;\r\n\r\nHello\r\n`,
      'Zero recipients',
    ],
    [
      'no body',
      `From: ${FROM}\r\nTo: ${TO}\r\n\r\n`,
      'with "Provide either email TextBody or HtmlBody or both."',
    ],
    ['an empty body', `From: ${FROM}\r\nTo: ${TO}\r\n\r\n \r\n`, 'The email has no text and no html.'],
    [
      'a picture alone',
      `From: ${FROM}\r\nTo: ${TO}\r\nContent-Type: image/png\r\n\r\nx\r\n`,
      'The email has no text and no html.',
    ],
    [
      'a text that is attached',
      `From: ${FROM}\r\nTo: ${TO}\r\nContent-Disposition: attachment\r\n\r\nx\r\n`,
      'The email has no text',
    ],
  ])('%s, which REST refuses', (_, text, note) => {
    const { verdict } = receive(text)
    expect(verdict).toMatchObject({ outcome: 'sent', notes: [expect.stringContaining(note)] })
    expect(verdict.notes[0]).toMatch(/it is not documented whether SMTP does too\. The sandbox sends it\.$/)
  })

  it('a metadata key that is there twice, of which both are kept', () => {
    const mail = receive(withHeaders('X-PM-Metadata-id: 1', 'X-PM-Metadata-ID: 2', 'X-PM-Metadata-id: 3'))
    expect(mail.postmark.metadata).toEqual({ id: '1', ID1: '2', id2: '3' })
    expect(mail.verdict).toMatchObject({
      outcome: 'sent',
      notes: Array(2).fill(expect.stringContaining('incremental number')),
    })
  })

  it('nothing about an ordinary mail', () => {
    expect(receive(withHeaders('X-PM-Tag: welcome', 'X-PM-KeepID: true')).verdict.notes).toEqual([])
  })
})
