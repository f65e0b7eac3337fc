import { createTransport } from 'nodemailer'
import { describe, expect, it } from 'vitest'
import { checkMessage } from './check-message.js'
import { outgoingName } from './outgoing-name.js'

const mail = { from: 'shop@example.com', to: 'ann@example.com', text: 'Hi' }

/** The file name in the bytes that Nodemailer writes; its own reading, apart from that of the code under test. */
async function nameOnTheWire(message: object): Promise<string | undefined> {
  const { message: bytes } = await createTransport({ streamTransport: true, buffer: true }).sendMail({
    ...mail,
    ...message,
  })
  const unfolded = String(bytes).replace(/\r\n[ \t]+/g, ' ')
  const parts = unfolded.split(/\r\n--/).slice(1)
  const headers = parts.map((part) => part.slice(0, part.indexOf('\r\n\r\n')))
  const named = headers.find((block) => /name/i.test(block)) ?? ''
  const [, quoted, bare] =
    /filename="((?:\\.|[^"])*)"|filename=([^;\s]+)/.exec(named) ??
    /name="((?:\\.|[^"])*)"|name=([^;\s]+)/.exec(named) ??
    []
  return quoted?.replace(/\\(.)/g, '$1') ?? bare
}

/** Attachments whose content need not exist, since only their name is looked at. */
const content = 'x'

describe('outgoingName', () => {
  it.each<[string, object, string | undefined, forbidden?: boolean]>([
    ['content', { content }, 'attachment-1.*'],
    ['an inline image', { content, cid: 'logo' }, 'attachment-1.*'],
    ['a file without an extension', { path: './LICENSE' }, 'LICENSE.*'],
    ['a program', { path: '/bin/true.exe' }, 'true.exe', true],
    [
      'a URL whose query ends in a name',
      { href: 'http://127.0.0.1:1/download?file=report.pdf' },
      'download.pdf',
    ],
    ['a URL without an extension', { href: 'http://127.0.0.1:1/avatar', cid: 'avatar' }, 'avatar.*'],
    [
      'a type that nobody knows',
      { content, contentType: 'application/x-unknown-thing' },
      'attachment-1.bin',
      true,
    ],
    ['bytes', { content, contentType: 'application/octet-stream' }, 'attachment-1.*'],
    [
      'bytes with a parameter',
      { content, contentType: 'application/octet-stream; charset=binary' },
      'attachment-1.bin',
      true,
    ],
    ['the type of a program', { content, contentType: 'application/x-msdownload' }, 'attachment-1.exe', true],
    [
      'the type of a program in a data URL',
      { path: 'data:application/x-msdownload;base64,eA==' },
      'attachment-1.exe',
      true,
    ],
    ['the type of a help file', { content, contentType: 'application/hlp' }, 'attachment-1.hlp', true],
    ['text', { content, contentType: 'text/x-anything' }, 'attachment-1.txt'],
    ['a name in its type', { content, contentType: 'application/pdf; name=a.exe' }, 'attachment-1.bin', true],
    [
      'a name in its type alone',
      { content, filename: false, contentType: 'application/pdf; name="a.exe"' },
      'a.exe',
      true,
    ],
    [
      'a name in its disposition alone',
      { content, filename: false, contentDisposition: 'attachment; filename=a.exe' },
      'a.exe',
      true,
    ],
    [
      'a name before one in its disposition',
      { content, filename: 'a.pdf', contentDisposition: 'attachment; filename=a.exe' },
      'a.pdf',
    ],
    [
      'a name before one in a header',
      { content, filename: 'a.pdf', headers: { 'Content-Disposition': 'attachment; filename=a.exe' } },
      'a.pdf',
    ],
    ['no name', { content, filename: false }, undefined],
    ['a message', { content, contentType: 'message/rfc822' }, undefined],
    ['a message with a name', { content, filename: 'a.exe', contentType: 'message/rfc822' }, 'a.exe', true],
    ['a folder', { path: '/tmp/x.exe/' }, 'attachment-1.*'],
    ['a name with a space', { content, filename: 'a b.exe' }, 'a b.exe', true],
    ['a raw part', { raw: 'Content-Type: text/plain\r\n\r\nx' }, undefined],
    ['a raw part with a name', { raw: 'Content-Type: text/plain; name=a.exe\r\n\r\nx' }, 'a.exe', true],
    [
      'a raw part with a disposition',
      {
        filename: 'a.pdf',
        raw: Buffer.from('Content-Disposition: attachment;\r\n filename="b.exe"\r\n\r\nx'),
      },
      'b.exe',
      true,
    ],
  ])('is the name on the wire of %s', async (_title, attachment, name, forbidden = false) => {
    expect(outgoingName(attachment, 'attachments')?.name).toBe(name)
    const isReadable =
      !('href' in attachment) && !('path' in attachment && !/^data:/.test(String(attachment.path)))
    // A path or a URL that cannot be read has no wire; its name does not depend on what it holds.
    if (isReadable) expect(await nameOnTheWire({ attachments: { ...attachment } })).toBe(name)
    const refused = checkMessage({ ...mail, attachments: attachment }).map(({ errorCode }) => errorCode)
    expect(refused).toEqual(forbidden ? [411] : [])
  })

  it.each<[string, object, string | undefined]>([
    ['an alternative', { alternatives: [{ content, contentType: 'text/x-web-markdown' }] }, undefined],
    ['an alternative with a name', { alternatives: [{ content, filename: 'a.exe' }] }, 'a.exe'],
    [
      'an alternative with a name in its type',
      { alternatives: { content, contentType: 'text/x-y; name=a.exe' } },
      'a.exe',
    ],
    ['an html with a name', { html: { content, filename: 'a.exe' } }, 'a.exe'],
    ['a calendar event', { icalEvent: 'BEGIN:VCALENDAR' }, 'invite.ics'],
    ['a calendar event with a name', { icalEvent: { content, filename: 'a.exe' } }, 'a.exe'],
    [
      'the second of two attachments',
      {
        attachments: [
          { content, filename: false },
          { content, filename: 'a.exe' },
        ],
      },
      'a.exe',
    ],
  ])('of %s is refused where it ends in .exe', async (_title, message, name) => {
    expect(await nameOnTheWire(structuredClone(message))).toBe(name)
    const refused = checkMessage({ ...mail, ...message }).map(({ errorCode }) => errorCode)
    expect(refused).toEqual(name === 'a.exe' ? [411] : [])
  })

  it('numbers what has no name as Nodemailer does', async () => {
    const unnamed = { content, contentType: 'application/x-unknown-thing' }
    const attachments = [{ content, filename: false }, { content, filename: false }, unnamed]
    expect(await nameOnTheWire({ attachments: structuredClone(attachments) })).toBe('attachment-3.bin')
    expect(checkMessage({ ...mail, attachments })[0]?.found).toContain('"attachment-3.bin"')
  })

  it('is read as a receiver reads it where it is made of encoded words, which 7 to 9 write as they are', async () => {
    const attachments = [{ content, filename: '=?utf-8?Q?setup=2Eexe?=' }]
    const transporter = createTransport({ streamTransport: true, buffer: true })
    const { message } = await transporter.sendMail({ ...mail, attachments: structuredClone(attachments) })
    const refused = checkMessage({ ...mail, attachments }).map(({ errorCode }) => errorCode)
    expect(refused).toEqual(String(message).includes('filename="=?') ? [411] : [])
  })

  it('is looked for in a raw message too', () => {
    const part = (disposition: string) =>
      `--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; ${disposition}\r\n\r\nx\r\n`
    const raw = [
      'From: a@example.com\r\nTo: b@example.com\r\nContent-Type: multipart/mixed;\r\n boundary="b"\r\n\r\n',
      '--b\r\n\r\nHi\r\n',
      ...[
        'filename=fine.txt',
        'filename="a.exe"',
        "filename*=utf-8''%C3%A4.exe",
        "filename*1*=%65xe; filename*0*=iso-8859-1'en'%E4.",
        'filename*1="xe"; filename*0="a.e"',
        'filename="=?utf-8?Q?=C3=A4=2Ee?= =?utf-8?B?eGU=?="',
        "filename=a.pdf; filename*=utf-8''a.exe",
        'filename=a.bin.txt',
      ].map(part),
      '--b--\r\n',
    ].join('')
    expect(checkMessage({ raw }).map(({ path }) => path)).toEqual(
      [1, 2, 3, 4, 5, 6].map((index) => `raw.attachments[${index}]`),
    )
    expect(checkMessage({ raw })[0]).toMatchObject({
      found: 'has the file name "a.exe"',
      errorCode: 411,
      cure: 'Put the file in an archive, or link to it.',
    })
  })

  it.each(['attachments', 'alternatives'])(
    'is looked for in each part of a raw multipart among the %s',
    async (list) => {
      const file = (name: string) => `--b\r\nContent-Type: application/pdf; name=${name}\r\n\r\nx\r\n`
      const raw = (...names: string[]) =>
        `Content-Type: multipart/mixed; boundary=b\r\n\r\n${names.map(file).join('')}--b--\r\n`
      expect(await nameOnTheWire({ [list]: [{ raw: raw('a.exe') }] })).toBe('a.exe')
      const refusals = (each: string | Buffer) =>
        checkMessage({ ...mail, [list]: [{ raw: each }] }).map(
          ({ path, errorCode }) => `${path} ${errorCode}`,
        )
      const refused = `${list}[0] 411`
      expect(refusals(raw('a.exe'))).toEqual([refused])
      expect(refusals(raw('a.pdf', 'b.exe', 'c.vbs'))).toEqual([refused, refused])
      expect(refusals(Buffer.from(raw('a'.repeat(70_000), 'b.exe')))).toEqual([refused])
      expect(refusals(raw('a.pdf', 'a.exe.zip'))).toEqual([])
    },
  )

  it('is not looked for in what cannot be composed', () => {
    const odd = [null, 5, 'x', { cid: {}, filename: {} }, { path: 5 }, { contentType: 5 }]
    expect(odd.map((part) => outgoingName(part, 'attachments')?.name)).not.toContain('a.exe')
  })
})
