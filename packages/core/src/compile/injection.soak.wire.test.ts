import { generateKeyPairSync } from 'node:crypto'
import { type ReceivedMail, size, startSmtpServer } from '@postmark-smtp/testing'
import fc from 'fast-check'
import { createTransport, type Transporter } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPostmarkTransport, deliveryOutcome } from '../index.js'
import { attachPostmark } from './attach.js'

/*
 * Text that tries to end its header, and to begin one of its own, comes in by every property of a message, in every
 * preflight mode. What counts is what the server received.
 */

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const MODES = ['throw', 'warn', 'fit'] as const

const message = { from: 'a@example.com', to: 'b@example.com', subject: 'Hello', text: 'Hello' }
const prepared = (value: string) => ({ prepared: true, value })
const attached = (fields: object) => ({ attachments: [{ filename: 'a.txt', content: 'a', ...fields }] })
const alternative = (fields: object) => ({
  alternatives: [{ contentType: 'text/x-note', content: 'a', ...fields }],
})
const event = (fields: object) => ({ icalEvent: { content: 'BEGIN:VCALENDAR', ...fields } })

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 1024,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const signed = (fields: object) => ({
  dkim: { domainName: 'example.com', keySelector: 'a', privateKey, ...fields },
})

/** Each place where text may come in. */
const PLACES: Readonly<Record<string, (evil: string) => object>> = {
  'headers as a map': (evil) => ({ headers: { 'X-Other': evil } }),
  'headers as pairs': (evil) => ({ headers: [{ key: 'X-Other', value: evil }] }),
  'headers as one pair': (evil) => ({ headers: { key: 'X-Other', value: evil } }),
  'several values of a header': (evil) => ({ headers: { 'X-Other': ['a', evil] } }),
  'a prepared header': (evil) => ({ headers: { 'X-Other': prepared(evil) } }),
  'a prepared header among pairs': (evil) => ({ headers: [{ key: 'X-Other', value: prepared(evil) }] }),
  'a prepared header that is folded': (evil) => ({
    headers: { 'X-Other': { ...prepared(evil), foldLines: true } },
  }),
  'the name of a header': (evil) => ({ headers: { [`X-Other${evil}`]: 'a' } }),
  'the name of a pair': (evil) => ({ headers: [{ key: `X-Other${evil}`, value: 'a' }] }),
  'the name of a prepared header': (evil) => ({ headers: { [`X-Other${evil}`]: prepared('a') } }),
  'a Postmark header': (evil) => ({ headers: { 'X-PM-Metadata-a': evil } }),
  'a prepared Postmark header': (evil) => ({ headers: { 'X-PM-Metadata-a': prepared(evil) } }),
  'the name of a Postmark header': (evil) => ({ headers: { [`X-PM-Metadata-a${evil}`]: 'a' } }),
  'a newer Postmark header': (evil) => ({ headers: { 'X-PM-Newer': evil } }),
  'a tag': (evil) => ({ postmark: { tag: evil } }),
  'a metadata key': (evil) => ({ postmark: { metadata: { [`a${evil}`]: '1' } } }),
  'a metadata value': (evil) => ({ postmark: { metadata: { a: evil } } }),
  'a stream': (evil) => ({ postmark: { messageStream: `news${evil}` } }),
  'the subject': (evil) => ({ subject: evil }),
  'a subject that is an object': (evil) => ({ subject: prepared(evil) }),
  'a sender that is an object': (evil) => ({ sender: prepared(evil) }),
  'the name of From': (evil) => ({ from: { name: evil, address: 'a@example.com' } }),
  'the address of From': (evil) => ({ from: { name: 'A', address: `a${evil}@example.com` } }),
  'From as text': (evil) => ({ from: `A${evil} <a@example.com>` }),
  'the domain of To': (evil) => ({ to: `b@example.com${evil}` }),
  'an address of Cc': (evil) => ({ cc: [{ name: evil, address: `c${evil}@example.com` }] }),
  'a group of Cc': (evil) => ({ cc: `Team${evil}: c@example.com;` }),
  Bcc: (evil) => ({ bcc: { name: evil, address: 'c@example.com' } }),
  'Reply-To': (evil) => ({ replyTo: `R${evil} <r@example.com>` }),
  'a Reply-To that is an object': (evil) => ({ replyTo: prepared(evil) }),
  messageId: (evil) => ({ messageId: `<a${evil}@example.com>` }),
  'a prepared messageId': (evil) => ({ messageId: prepared(`<a${evil}@example.com>`) }),
  inReplyTo: (evil) => ({ inReplyTo: `<a${evil}@example.com>` }),
  'a prepared inReplyTo': (evil) => ({ inReplyTo: prepared(`<a${evil}@example.com>`) }),
  references: (evil) => ({ references: [`<a${evil}@example.com>`, evil] }),
  'a references text': (evil) => ({ references: `<a@example.com>${evil}` }),
  date: (evil) => ({ date: `Mon, 1 Jan 2024 00:00:00 +0000${evil}` }),
  xMailer: (evil) => ({ xMailer: evil }),
  'a prepared xMailer': (evil) => ({ xMailer: prepared(evil) }),
  priority: (evil) => ({ priority: `high${evil}` }),
  'the address of a list': (evil) => ({ list: { help: `a@example.com${evil}` } }),
  'the comment of a list': (evil) => ({
    list: { help: { url: 'https://example.com', comment: `a)${evil}` } },
  }),
  'the comment of a list ID': (evil) => ({ list: { id: { url: 'example.com', comment: evil } } }),
  'the name of a list': (evil) => ({ list: { [`help${evil}`]: 'https://example.com' } }),
  normalizeHeaderKey: (evil) => ({
    normalizeHeaderKey: (key: string) => (key === 'Subject' ? `S${evil}` : key),
  }),
  'normalizeHeaderKey that renames': () => ({
    normalizeHeaderKey: (key: string) => (key === 'Subject' ? 'X-PM-Tag' : key),
    subject: 'evil',
  }),
  baseBoundary: (evil) => ({ html: '<p>', baseBoundary: evil }),
  boundaryPrefix: (evil) => ({ html: '<p>', boundaryPrefix: evil }),
  encoding: (evil) => ({ encoding: `base64${evil}` }),
  textEncoding: (evil) => ({ textEncoding: `B${evil}` }),
  'the selector of DKIM': (evil) => signed({ keySelector: `a${evil}` }),
  'the domain of DKIM': (evil) => signed({ domainName: `example.com${evil}` }),
  'the headers of DKIM': (evil) => signed({ headerFieldNames: `From:To:${evil}` }),
  'a file name': (evil) => attached({ filename: `a${evil}.txt` }),
  'a content type': (evil) => attached({ contentType: `text/plain${evil}` }),
  'a parameter of a content type': (evil) => attached({ contentType: `text/plain; a="${evil}"` }),
  'a prepared content type': (evil) => attached({ contentType: prepared(`text/plain${evil}`) }),
  'a content disposition': (evil) => attached({ contentDisposition: `inline${evil}` }),
  'a prepared content disposition': (evil) => attached({ contentDisposition: prepared(`inline${evil}`) }),
  'a transfer encoding': (evil) => attached({ contentTransferEncoding: `base64${evil}` }),
  'a prepared transfer encoding': (evil) => attached({ contentTransferEncoding: prepared(`base64${evil}`) }),
  'a content ID': (evil) => attached({ cid: `a${evil}`, contentType: 'image/png', filename: 'a.png' }),
  'a header of an attachment': (evil) => attached({ headers: { 'X-Other': evil } }),
  'a prepared header of an attachment': (evil) => attached({ headers: { 'X-Other': prepared(evil) } }),
  'the name of a header of an attachment': (evil) => attached({ headers: { [`X-Other${evil}`]: 'a' } }),
  'a content type of an alternative': (evil) => alternative({ contentType: `text/x-note${evil}` }),
  'a prepared header of an alternative': (evil) => alternative({ headers: { 'X-Other': prepared(evil) } }),
  'the method of an event': (evil) => event({ method: `REQUEST${evil}` }),
  'the file name of an event': (evil) => event({ filename: `a${evil}.ics` }),
  'a prepared header of an event': (evil) => event({ headers: { 'X-Other': prepared(evil) } }),
  'the sender of the envelope': (evil) => ({
    envelope: { from: `a@example.com${evil}`, to: 'b@example.com' },
  }),
  'a recipient of the envelope': (evil) => ({
    envelope: { from: 'a@example.com', to: [`b@example.com${evil}`] },
  }),
  'a recipient of the envelope that is an object': (evil) => ({
    envelope: { from: 'a@example.com', to: [{ name: evil, address: `b@example.com${evil}` }] },
  }),
}

/** Line breaks of all kinds, and what becomes one where only the low byte of a character is kept. */
const BREAKS = [
  '\r\n',
  '\r',
  '\n',
  '\n\r',
  '\0\r\n',
  '\u0085',
  '\u2028',
  '\u010d\u010a',
  '\r\n \r\n',
  '\v',
  '\f',
  '>\r\nRCPT TO:<evil@example.com>\r\n',
]
const evilAfter = (lineBreak: string) =>
  `x${lineBreak}X-PM-Tag: evil${lineBreak}X-Evil: 1${lineBreak}Bcc: evil@example.com`

const EXPECTED =
  /^(from|sender|to|cc|reply-to|subject|message-id|in-reply-to|references|date|mime-version|content-type|content-transfer-encoding|content-disposition|content-id|dkim-signature|x-other|x-mailer|x-priority|x-msmail-priority|importance|list-(help|id)|x-pm-(message-stream|tag|newer|metadata-a))$/i

function checkMail(mail: ReceivedMail, breaksName: boolean): void {
  const bytes = mail.raw.toString('latin1')
  expect(bytes).not.toMatch(/\r(?!\n)|(?<!\r)\n|\0/)
  expect(bytes).not.toMatch(/^(X-Evil|Bcc):/im)
  for (const line of mail.headerLines) expect(line.trim()).not.toBe('')
  for (const { name, value } of mail.headers) {
    if (!breaksName) expect(name).toMatch(EXPECTED)
    if (/^x-pm-tag$/i.test(name)) expect(value).not.toBe('evil')
  }
  // What an address list names is a recipient: a command of its own would be one more.
  expect(mail.envelope.to.filter((address) => address === 'evil@example.com').length).toBeLessThanOrEqual(1)
}

describe('a line break that comes in by', () => {
  let server: Awaited<ReturnType<typeof startSmtpServer>>
  const transporters: Transporter[] = []
  beforeAll(async () => {
    server = await startSmtpServer({ auth: [{ user: TOKEN, pass: TOKEN }] })
    const { host, port, ca } = server
    for (const preflight of MODES) {
      const options = {
        host,
        port,
        requireTLS: true,
        tls: { ca },
        auth: { user: TOKEN, pass: TOKEN },
        pool: true,
      }
      transporters.push(
        attachPostmark(createTransport(options) as unknown as Transporter, {
          preflight,
          onWarning: () => {},
        }),
      )
      const own = { serverToken: TOKEN, host, ports: [port], tls: { ca }, preflight, onWarning: () => {} }
      transporters.push(createPostmarkTransport(own) as unknown as Transporter)
    }
  })
  afterAll(async () => {
    for (const transporter of transporters) await transporter.close()
    await server.close()
  })

  // Each place meets all in the soak, and a few in turn in `npm test`.
  const turns = Object.entries(PLACES).map(
    ([place, make], index) =>
      [
        place,
        make,
        Array.from(
          { length: Math.min(BREAKS.length, size(30)) },
          (_, turn) => BREAKS[(index + 5 * turn) % BREAKS.length]!,
        ),
      ] as const,
  )
  it.each(turns)('%s adds no header, no command and no part', async (place, make, breaks) => {
    server.clear()
    const results = await Promise.all(
      breaks.map((lineBreak, index) =>
        transporters[(index + place.length) % transporters.length]!.sendMail({
          ...message,
          ...make(evilAfter(lineBreak)),
        } as object).then(
          () => undefined,
          (error: Error) => error,
        ),
      ),
    )
    for (const error of results) {
      if (!error) continue
      // An address of odd characters, without a line break, is the server's to refuse.
      if ('responseCode' in error) continue
      expect(error).toMatchObject({ code: 'ERR_POSTMARK_PREFLIGHT' })
      expect(deliveryOutcome(error)).toBe('not-sent')
    }
    expect(server.mails).toHaveLength(results.filter((error) => !error).length)
    for (const mail of server.mails) checkMail(mail, /name|normalizeHeaderKey/.test(place))
  })

  it.each(MODES)(
    'a subject that is an object is refused by its name, under preflight: %s',
    async (preflight) => {
      const sent = transporters[MODES.indexOf(preflight) * 2]!.sendMail({
        ...message,
        subject: { prepared: true, value: 'x\r\nX-PM-Tag: evil' },
      } as never)
      await expect(sent).rejects.toMatchObject({
        code: 'ERR_POSTMARK_PREFLIGHT',
        outcome: 'not-sent',
        problems: [
          { path: 'headers["Subject"]', found: 'contains a line break or another control character' },
        ],
      })
    },
  )

  it('of a header that is folded rightly goes out as it is', async () => {
    server.clear()
    await transporters[0]!.sendMail({
      ...message,
      headers: { 'X-Other': prepared('one\r\n two\r\n\tthree') },
    } as object)
    expect(server.mails[0]!.headerLines).toEqual(expect.arrayContaining(['X-Other: one', ' two', '\tthree']))
  })

  it('of a long run of spaces leaves no line that is empty', async () => {
    server.clear()
    await transporters[0]!.sendMail({ ...message, subject: `a${' '.repeat(300)}b` })
    for (const line of server.mails[0]!.headerLines) expect(line.trim()).not.toBe('')
    expect(server.mails[0]!.header('Subject')).toMatch(/^a\s+b$/)
  })

  it('several places at once add no header, no command and no part', async () => {
    const pieces = fc.oneof(
      fc.constantFrom(
        ...BREAKS,
        ' ',
        '\t',
        ':',
        '<',
        '>',
        ',',
        ';',
        '"',
        '(',
        ')',
        '\\',
        '=?utf-8?Q?=0D=0A?=',
        '\u00e9',
        '\ud800',
      ),
      fc.constantFrom('X-PM-Tag: evil', 'X-Evil: 1', 'Bcc: evil@example.com', '--', '.'),
      fc.string({ unit: 'binary', maxLength: 6 }),
    )
    const evil = fc.array(pieces, { maxLength: 8 }).map((all) => all.join(''))
    const places = fc.array(fc.tuple(fc.constantFrom(...Object.keys(PLACES)), evil), {
      minLength: 1,
      maxLength: 4,
    })
    await fc.assert(
      fc.asyncProperty(places, fc.nat(transporters.length - 1), async (chosen, index) => {
        server.clear()
        const mail = Object.assign({ ...message }, ...chosen.map(([place, text]) => PLACES[place]!(text)))
        const error = await transporters[index]!.sendMail(mail).then(
          () => undefined,
          (reason: Error) => reason,
        )
        // Without a recipient Nodemailer's own transport fails with EENVELOPE.
        if (error && !('responseCode' in error) && !('code' in error && error.code === 'EENVELOPE'))
          expect(deliveryOutcome(error)).toBe('not-sent')
        expect(server.mails).toHaveLength(error ? 0 : 1)
        for (const mail of server.mails) checkMail(mail, true)
      }),
      { numRuns: size(1000) },
    )
  })
})
