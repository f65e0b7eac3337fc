import { describe, expect, it } from 'vitest'
import { readContent } from './mail-content.js'
import { readParts } from './mime-parts.js'

const read = (lines: readonly string[] | Buffer) => {
  const raw = Buffer.isBuffer(lines) ? lines : Buffer.from(lines.join('\r\n'))
  return readContent(readParts(raw))
}

describe('the text of an email', () => {
  it.each<[what: string, header: readonly string[], body: string, text: string]>([
    ['without a type is plain text', [], 'Hello\r\nAnn', 'Hello\nAnn'],
    [
      'in quoted-printable is decoded',
      ['Content-Transfer-Encoding: quoted-printable'],
      'Gr=C3=BC=\r\n=C3=9Fe',
      'Grüße',
    ],
    ['in base64 is decoded', ['Content-Transfer-Encoding: BASE64'], 'R3LDvMOfZQ==', 'Grüße'],
    [
      'has the charset that it names',
      ['Content-Type: text/plain; charset="iso-2022-jp"'],
      '\u001b$B$3$s$K$A$O\u001b(B',
      'こんにちは',
    ],
    [
      'that is flowed has its lines joined, but for the signature',
      ['Content-Type: text/plain; format=flowed'],
      'One \r\nline.\r\n  stuffed\r\n-- \r\nAnn',
      'One line.\n stuffed\n-- \nAnn',
    ],
    [
      'that is flowed with delsp loses the spaces',
      ['Content-Type: text/plain; format=flowed; delsp=yes'],
      'Wort \r\nteil',
      'Wortteil',
    ],
  ])('%s', (_what, header, body, text) => {
    expect(read([...header, '', body])).toEqual({ text, attachments: [] })
  })
})

it.each<[charset: string, bytes: string, text: string]>([
  ['cp932', '93fa967b8cea', '日本語'],
  ['cp850', '8484819b', 'ääüø'],
  ['cp-1252', '80933f94', '€“?”'],
  ['us-ascii', '4772c3bcc39f65', 'Grüße'],
  ['us-ascii', '4772fcdf65', 'Grüße'],
  ['utf-7', '2b414f4d2d', 'ã'],
])('reads text and html in %s', (charset, hex, text) => {
  const bytes = Buffer.from(hex, 'hex').toString('base64')
  const part = (type: string) => [
    '--b',
    `Content-Type: ${type}; charset=${charset}`,
    'Content-Transfer-Encoding: base64',
    '',
    bytes,
  ]
  const lines = [
    'Content-Type: multipart/alternative; boundary=b',
    '',
    ...part('text/plain'),
    ...part('text/html'),
    '--b--',
  ]
  expect(read(lines)).toEqual({ text, html: text, attachments: [] })
})

it('says of which part it does not know the charset', () => {
  expect(read(['Content-Type: text/html; charset=klingon', '', 'Grüße'])).toEqual({
    html: 'Grüße',
    attachments: [],
    notes: ['The charset "klingon" of the text/html part is not known, so the part was read as UTF-8.'],
  })
})

it('takes text and html for the body, and all else for attachments', () => {
  const part = (...lines: string[]) => ['--b', ...lines]
  const content = read([
    'Content-Type: multipart/mixed; boundary=b',
    '',
    ...part('Content-Type: text/plain', '', 'Hello'),
    ...part('Content-Type: text/html', '', '<p>Hello</p>'),
    ...part('Content-Type: text/plain', 'Content-Disposition: attachment; filename=a.txt', '', 'a', 'b'),
    ...part("Content-Disposition: attachment; filename*0*=UTF-8''gr%C3%BC; filename*1=sse.pdf", '', 'x'),
    ...part(
      'Content-Type: image/png',
      'Content-ID: <logo@x>',
      'Content-Transfer-Encoding: base64',
      '',
      'iVBORw==',
    ),
    ...part('Content-Type: message/rfc822', '', 'Subject: Inner', '', 'Inner'),
    '--b--',
  ])
  expect(content).toEqual({
    text: 'Hello',
    html: '<p>Hello</p>',
    attachments: [
      { filename: 'a.txt', mimeType: 'text/plain', content: Buffer.from('a\r\nb') },
      { filename: 'grüsse.pdf', mimeType: 'text/plain', content: Buffer.from('x') },
      { filename: '', mimeType: 'image/png', contentId: '<logo@x>', content: Buffer.from('89504e47', 'hex') },
      { filename: '', mimeType: 'message/rfc822', content: Buffer.from('Subject: Inner\r\n\r\nInner') },
    ],
  })
})

describe('an email that is made to take long', () => {
  const multipart = 'Content-Type: multipart/mixed; boundary=b\r\n\r\n'
  const nested = Array.from(
    { length: 5000 },
    (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`,
  )
  it.each<[what: string, raw: string]>([
    [
      'with unclosed tags beside text',
      `${multipart}--b\r\nContent-Type: text/html\r\n\r\n${'<a href="'.repeat(5e5)}\r\n--b\r\n\r\n${'http://'.repeat(5e5)}\r\n--b--`,
    ],
    ['with 100,000 parts', `${multipart}${'--b\r\n\r\nx\r\n'.repeat(1e5)}--b--`],
    ['of 5,000 levels', `${nested.join('')}x`],
    ['of 5 million empty lines', `Content-Type: text/html\r\n\r\n${'\n'.repeat(5e6)}`],
    ['with a folded header of 1 MB', `Subject: ${'x\r\n '.repeat(3e5)}\r\n\r\nx`],
    ['with 150,000 parameters', `Content-Type: text/plain; ${'charset*0=b;'.repeat(1.5e5)}\r\n\r\nx`],
    [
      'of 20 MB in base64',
      `Content-Transfer-Encoding: base64\r\n\r\n${`${'A'.repeat(76)}\r\n`.repeat(256_000)}`,
    ],
  ])('%s is read, where a reader that looks back would take minutes', (_what, raw) => {
    const bytes = Buffer.from(raw)
    const { text = '', html = '', attachments } = read(bytes)
    expect(text.length + html.length + attachments.length).toBeGreaterThan(0)
  })
})
