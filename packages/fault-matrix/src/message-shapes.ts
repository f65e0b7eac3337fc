import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'

/*
 * A table of what people put into a message, by property: long, since each line is a case.
 */

/** Where the files and URLs of the shapes are. */
export interface Places {
  /** A folder with `LICENSE`, `report.pdf` and `setup.exe`. */
  readonly folder: string
  /** A server that answers each path. @example 'http://127.0.0.1:41235' */
  readonly url: string
}

/** A message, made anew for each send: a Readable is read once, and Nodemailer writes into what it is given. */
export interface MessageShape {
  readonly title: string
  make(places: Places): Record<string, unknown>
}

type Part = (places: Places) => object
type Parts = Readonly<Record<string, Part>>

const attach =
  (attachment: (places: Places) => object): Part =>
  (places) => ({ attachments: [attachment(places)] })
const content = 'The content of a file.\n'
const named = (filename: string) => attach(() => ({ filename, content }))
const typed = (contentType: string) => attach(() => ({ contentType, content }))

const FROM: Parts = {
  'a name': () => ({ from: 'Shop <shop@example.com>' }),
  'an object': () => ({ from: { name: 'Shop, Inc.', address: 'shop@example.com' } }),
  'a list': () => ({ from: [{ name: 'Shop', address: 'shop@example.com' }] }),
  'a name outside ASCII': () => ({ from: 'Café Müller <shop@example.com>' }),
  'an encoded comma': () => ({ from: '"Müller, Café" <shop@example.com>' }),
  'a domain outside ASCII': () => ({ from: 'shop@bücher.example' }),
  'a quoted mailbox': () => ({ from: '"the shop"@example.com' }),
  'a header': () => ({ from: undefined, headers: { From: 'shop@example.com' } }),
  'a sender and a reply-to': () => ({ sender: 'robot@example.com', replyTo: 'Help <help@example.com>' }),
  'no From': () => ({ from: undefined }),
  'an empty From': () => ({ from: '' }),
  'a word': () => ({ from: 'shop' }),
  'a name without an address': () => ({ from: 'My Shop' }),
  'a name in an object': () => ({ from: { name: 'Shop', address: '' } }),
  'a mailbox outside ASCII': () => ({
    from: 'jürgen@example.com',
    envelope: { from: 'shop@example.com', to: 'ann@example.com' },
  }),
  'angle brackets around nothing': () => ({ from: 'Shop <>' }),
  'a mailbox without a domain': () => ({ from: 'shop@' }),
  'a group': () => ({ from: 'Team: shop@example.com;' }),
  'two addresses': () => ({ from: 'shop@example.com, robot@example.com' }),
  'a list in a list': () => ({ from: [['shop@example.com']] }),
  'a quoted mailbox outside ASCII': () => ({
    from: '"jürgen"@example.com',
    envelope: { from: 'shop@example.com', to: 'ann@example.com' },
  }),
  'a From of 300 characters': () => ({ from: `${'Shop '.repeat(58)}<shop@example.com>` }),
}

const addresses = (count: number) => Array.from({ length: count }, (_, index) => `u${index}@example.com`)

const RECIPIENTS: Parts = {
  'a name': () => ({ to: 'Ann <ann@example.com>' }),
  'a list in a text': () => ({ to: 'ann@example.com, "Bob, Jr." <bob@example.com>' }),
  'a group': () => ({ to: 'Team: ann@example.com, bob@example.com;' }),
  'an object': () => ({ to: { name: 'Ann', address: 'ann@example.com' } }),
  'all fields': () => ({ to: ['ann@example.com'], cc: 'bob@example.com', bcc: ['cy@example.com'] }),
  'Bcc only': () => ({ to: undefined, bcc: 'ann@example.com' }),
  'a header': () => ({ to: undefined, headers: { Cc: 'ann@example.com' } }),
  'a domain outside ASCII': () => ({ to: 'ann@bücher.example' }),
  'a quoted mailbox': () => ({ to: '"john doe"@example.com' }),
  'an envelope': () => ({
    envelope: { from: 'shop@example.com', to: ['ann@example.com', 'bob@example.com'] },
  }),
  'an envelope only': () => ({
    to: undefined,
    envelope: { from: 'shop@example.com', to: 'ann@example.com' },
  }),
  'undisclosed recipients': () => ({
    to: undefined,
    headers: { To: 'undisclosed-recipients:;' },
    envelope: { from: 'shop@example.com', to: 'ann@example.com' },
  }),
  '50 addresses': () => ({ to: addresses(50) }),
  '51 addresses': () => ({ to: addresses(51) }),
  '51 addresses in three fields': () => ({
    to: addresses(51).slice(0, 17),
    cc: addresses(51).slice(17, 34),
    bcc: addresses(51).slice(34),
  }),
  'no recipient': () => ({ to: undefined }),
  'a mailbox outside ASCII': () => ({ to: 'jürgen@example.com' }),
}

const BODIES: Parts = {
  html: () => ({ text: undefined, html: '<p>Hello</p>' }),
  both: () => ({ html: '<p>Hello</p>' }),
  'no body': () => ({ text: undefined }),
  'an empty text': () => ({ text: '' }),
  'white space': () => ({ text: ' \n' }),
  'a Buffer': () => ({ text: Buffer.from('Hello\n'), html: Buffer.from('<p>Hello</p>') }),
  'an object with an encoding': () => ({ text: { content: 'SGVsbG8=', encoding: 'base64' } }),
  'a Readable': () => ({ text: Readable.from([Buffer.from('Hello')]) }),
  'a file': ({ folder }) => ({ text: { path: `${folder}/LICENSE` } }),
  'a URL': ({ url }) => ({ html: { href: `${url}/page.html` } }),
  'letters outside ASCII': () => ({ text: 'Grüße aus Köln\n', html: '<p>漢字 😀</p>' }),
  'long lines': () => ({ text: 'x'.repeat(5000), html: `<p>${'word '.repeat(2000)}</p>` }),
  'dots and line ends': () => ({ text: '.\n..\n.x\r\ny\r\n\n' }),
  'base64 asked for': () => ({ encoding: 'base64', text: 'Hello' }),
  'encoded words asked for in B': () => ({ textEncoding: 'base64', subject: 'Grüße' }),
  'AMP and a watch': () => ({
    html: '<p>Hello</p>',
    amp: '<!doctype html><html ⚡4email>',
    watchHtml: '<b>Hi</b>',
  }),
  'a calendar event': () => ({
    icalEvent: { method: 'REQUEST', content: 'BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n' },
  }),
  'a calendar event only': () => ({ text: undefined, icalEvent: 'BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n' }),
  'a calendar event with a name': () => ({
    icalEvent: { filename: 'party.ics', content: 'BEGIN:VCALENDAR' },
  }),
  'a calendar event named as a program': () => ({
    icalEvent: { filename: 'party.exe', content: 'BEGIN:VCALENDAR' },
  }),
  'an alternative': () => ({ alternatives: [{ contentType: 'text/x-web-markdown', content: '**Hello**' }] }),
  'an html that is an alternative': () => ({
    text: undefined,
    alternatives: [{ contentType: 'text/html', content: '<p>Hi</p>' }],
  }),
  'an alternative without a type': () => ({ text: undefined, alternatives: [{ content: 'Hello' }] }),
  'an alternative named as a program': () => ({ alternatives: [{ filename: 'a.exe', content: 'x' }] }),
  'a raw html only': () => ({
    text: undefined,
    html: { raw: 'Content-Type: text/html\r\n\r\n<p>Hi</p>\r\n' },
  }),
  'an html named as a program': () => ({ html: { content: '<p>Hi</p>', filename: 'a.exe' } }),
}

const ATTACHMENTS: Parts = {
  'a text': named('notes.txt'),
  'a name outside ASCII': named('Grüße.pdf'),
  'a long name outside ASCII': named(`${'ü'.repeat(80)}.pdf`),
  'a name with quotation marks': named('a "b" c.pdf'),
  'a name with an apostrophe': named("l'été.pdf"),
  'a program': named('setup.exe'),
  'a program in capitals': named('SETUP.EXE'),
  'a program outside ASCII': named(`${'ü'.repeat(80)}.exe`),
  'a program with a space after its name': named('setup.exe '),
  'a program within an archive': named('setup.exe.zip'),
  'a program by its path on Windows': named('C:\\mail\\setup.exe'),
  'a program with a tab after it': named('setup.exe\t'),
  'a program with a dot after it': named('setup.exe.'),
  'a program written from right to left': named('setup\u202Etxt.exe'),
  'a program in encoded words': named('=?utf-8?Q?setup=2Eexe?='),
  'an empty name': named(''),
  'no extension': named('README'),
  'a dot at the end': named('notes.'),
  'content only': attach(() => ({ content })),
  'a Buffer': attach(() => ({ content: Buffer.alloc(2000, 7) })),
  'a Readable': attach(() => ({ filename: 'a.txt', content: Readable.from([Buffer.from(content)]) })),
  'an inline image without a name': (places) => ({
    html: '<img src="cid:logo">',
    ...attach(() => ({ content, cid: 'logo' }))(places),
  }),
  'an inline image': (places) => ({
    html: '<img src="cid:logo">',
    ...attach(() => ({ filename: 'logo.png', content, cid: 'logo' }))(places),
  }),
  'a file without an extension': attach(({ folder }) => ({ path: `${folder}/LICENSE` })),
  'a file': attach(({ folder }) => ({ path: `${folder}/report.pdf` })),
  'a file that is a program': attach(({ folder }) => ({ path: `${folder}/setup.exe` })),
  'a file that is a program under another name': attach(({ folder }) => ({
    filename: 'setup.zip',
    path: `${folder}/setup.exe`,
  })),
  'a file by its file URL': attach(({ folder }) => ({
    filename: 'a.txt',
    content: pathToFileURL(folder).href,
  })),
  'a URL': attach(({ url }) => ({ href: `${url}/a/report.pdf` })),
  'a URL in the path': attach(({ url }) => ({ path: `${url}/download?file=report.pdf` })),
  'a URL without an extension': attach(({ url }) => ({ href: `${url}/avatar`, cid: 'avatar' })),
  'a URL of a program': attach(({ url }) => ({ href: `${url}/setup.exe?v=1` })),
  'a raw multipart with a program': attach(() => ({
    raw: 'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: image/png\r\n\r\nx\r\n--b\r\nContent-Type: application/pdf; name=a.exe\r\n\r\nx\r\n--b--\r\n',
  })),
  'a data URL': attach(() => ({ path: 'data:text/plain;base64,SGk=' })),
  'a data URL of a program': attach(() => ({ href: 'data:application/x-msdownload;base64,SGk=' })),
  'a type that nobody knows': typed('application/x-unknown-thing'),
  bytes: typed('application/octet-stream'),
  'bytes with a parameter': typed('application/octet-stream; charset=binary'),
  'the type of a program': typed('application/x-msdownload'),
  'the type of a program in capitals': typed('Application/X-MSDOWNLOAD'),
  'the type of a picture': typed('image/png'),
  'a name in its type': typed('application/pdf; name=a.exe'),
  'a name in its type only': attach(() => ({
    filename: false,
    contentType: 'application/pdf; name=a.exe',
    content,
  })),
  'a name in its disposition': attach(() => ({
    filename: false,
    contentDisposition: 'attachment; filename=a.exe',
    content,
  })),
  'a name before one in its type': attach(() => ({
    filename: 'a.pdf',
    contentType: 'application/pdf; name=a.exe',
    content,
  })),
  'no name': attach(() => ({ filename: false, content })),
  'headers of its own': attach(() => ({ filename: 'a.pdf', content, headers: { 'X-Part': 'one' } })),
  'a disposition in headers of its own': attach(() => ({
    content,
    headers: { 'Content-Disposition': 'attachment; filename=a.exe' },
  })),
  'a program in an object': attach(({ folder }) => ({ content: { path: `${folder}/setup.exe` } })),
  'a file by a URL object': attach(({ folder }) => ({ path: pathToFileURL(`${folder}/setup.exe`) })),
  'a message': attach(() => ({ contentType: 'message/rfc822', content: 'Subject: inner\r\n\r\nHello' })),
  'a message named as a program': attach(() => ({
    contentType: 'message/rfc822',
    filename: 'a.exe',
    content: 'Subject: inner\r\n\r\nHello',
  })),
  'a raw part': attach(() => ({
    raw: 'Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nHello',
  })),
  'a raw part with a name': attach(() => ({ raw: 'Content-Type: text/plain; name=a.exe\r\n\r\nHello' })),
  'a raw part with a folded name': attach(() => ({
    raw: Buffer.from('Content-Disposition: attachment;\r\n filename="a.exe"\r\n\r\nHello'),
  })),
  several: () => ({
    attachments: ['a.txt', 'b.pdf', 'c.vbs', 'd.msi'].map((filename) => ({ filename, content })),
  }),
  'one that is in no list': () => ({ attachments: { filename: 'a.txt', content } }),
  '7bit asked for': attach(() => ({ filename: 'a.txt', content, contentTransferEncoding: '7bit' })),
  'hex content': attach(() => ({
    filename: 'a.txt',
    content: Buffer.from(content).toString('hex'),
    encoding: 'hex',
  })),
}

const HEADERS: Parts = {
  'a map': () => ({ headers: { 'X-Mailer': 'shop', 'X-PM-Tag': 'order' } }),
  pairs: () => ({
    headers: [
      { key: 'X-Mailer', value: 'shop' },
      { key: 'x-pm-metadata-orderId', value: '7' },
    ],
  }),
  'one pair': () => ({ headers: { key: 'X-PM-Tag', value: 'order' } }),
  'several lines of one name': () => ({ headers: { 'X-Copy': ['one', 'two'] } }),
  'a prepared line': () => ({ headers: { 'X-Long': { prepared: true, value: 'word '.repeat(40).trim() } } }),
  'letters outside ASCII': () => ({ headers: { 'X-City': 'Köln' }, subject: 'Grüße' }),
  'a long subject': () => ({ subject: 'word '.repeat(80) }),
  'a list header': () => ({
    list: { unsubscribe: 'https://example.com/unsubscribe', help: 'help@example.com' },
  }),
  'priority, references and an answer': () => ({
    priority: 'high',
    references: ['<a@example.com>', '<b@example.com>'],
    inReplyTo: '<a@example.com>',
  }),
  fields: () => ({
    postmark: { tag: 'order', metadata: { orderId: 7, 'client-id': 'ä' }, trackOpens: true, keepId: true },
  }),
  'a long field': () => ({ postmark: { metadata: { note: 'n'.repeat(80) }, tag: 't'.repeat(300) } }),
  'a metadata value of 81': () => ({ postmark: { metadata: { note: 'n'.repeat(81) } } }),
  'eleven metadata keys': () => ({
    postmark: { metadata: Object.fromEntries(addresses(11).map((_, index) => [`k${index}`, 'x'])) },
  }),
  'a metadata key of 21': () => ({ postmark: { metadata: { ['k'.repeat(21)]: 'x' } } }),
  'metadata in a Map': () => ({ postmark: { metadata: new Map([['order', '7']]) } }),
  'a tag of 1001': () => ({ headers: { 'X-PM-Tag': 't'.repeat(1001) } }),
  'a subject of 2001': () => ({ subject: 's'.repeat(2001) }),
  'its own normalizeHeaderKey': () => ({ normalizeHeaderKey: (key: string) => key.toUpperCase() }),
}

const RAW_LINES = 'From: Shop <shop@example.com>\r\nTo: ann@example.com\r\nSubject: Hello\r\n'
const rawOf =
  (raw: () => unknown): Part =>
  () => ({ raw: raw(), envelope: { from: 'shop@example.com', to: 'ann@example.com' } })
const rawPart = (lines: string) =>
  `${RAW_LINES}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nHello\r\n--b\r\n${lines}\r\n\r\nx\r\n--b--\r\n`

const RAW: Parts = {
  text: rawOf(() => `${RAW_LINES}\r\nHello\r\n`),
  bytes: rawOf(() => Buffer.from(`${RAW_LINES}\r\nGrüße\r\n`)),
  'a header of ours': rawOf(() => `X-PM-Tag: own\r\n${RAW_LINES}\r\nHello\r\n`),
  'a metadata key twice': rawOf(
    () => `X-PM-Metadata-id: 1\r\nX-PM-Metadata-ID: 2\r\n${RAW_LINES}\r\nHello\r\n`,
  ),
  'no From': rawOf(() => 'To: ann@example.com\r\n\r\nHello\r\n'),
  'a word in From': rawOf(() => 'From: shop\r\nTo: ann@example.com\r\n\r\nHello\r\n'),
  'a From outside ASCII': rawOf(() => 'From: jürgen@example.com\r\nTo: ann@example.com\r\n\r\nHello\r\n'),
  'a folded From': rawOf(
    () =>
      'From: =?utf-8?Q?M=C3=BCller=2C?=\r\n Shop\r\n <shop@example.com>\r\nTo: ann@example.com\r\n\r\nHello\r\n',
  ),
  'no To': rawOf(() => 'From: shop@example.com\r\n\r\nHello\r\n'),
  'no body': rawOf(() => `${RAW_LINES}\r\n`),
  'a picture only': rawOf(() => `${RAW_LINES}Content-Type: image/png\r\n\r\nx\r\n`),
  'a program': rawOf(() => rawPart('Content-Disposition: attachment; filename=a.exe')),
  'a program by RFC 2231': rawOf(() =>
    rawPart("Content-Disposition: attachment;\r\n filename*1*=%65xe; filename*0*=utf-8''%C3%A4."),
  ),
  'a program by RFC 2047': rawOf(() => rawPart('Content-Type: application/pdf; name="=?utf-8?B?YS5leGU=?="')),
  'a document': rawOf(() => rawPart('Content-Disposition: attachment; filename="a.exe.pdf"')),
  'parts in parts': rawOf(() =>
    rawPart(
      'Content-Type: multipart/alternative; boundary=bb\r\n\r\n--bb\r\nContent-Type: text/html\r\n\r\n<p>Hi</p>\r\n--bb\r\nContent-Disposition: attachment; filename=a.vbs\r\n\r\nx\r\n--bb--',
    ),
  ),
}

const MB = 1024 * 1024
const SIZES: Parts = {
  'a text below 5 MB': () => ({ text: 'x'.repeat(5 * MB - 1000) }),
  'a text above 5 MB': () => ({ text: 'x'.repeat(5 * MB + 1000) }),
  'an html above 5 MB': () => ({ html: 'é'.repeat(2.5 * MB + 1000) }),
  'files below 10 MB in base64': attach(() => ({
    filename: 'a.pdf',
    content: Buffer.alloc(7.5 * MB - 10_000, 1),
  })),
  'files above 10 MB in base64': attach(() => ({
    filename: 'a.pdf',
    content: Buffer.alloc(7.5 * MB + 10_000, 1),
  })),
  'a calendar event that goes out twice': () => ({ icalEvent: { content: 'x'.repeat(3.75 * MB + 10_000) } }),
  'an alternative above 10 MB in base64': () => ({
    alternatives: [{ contentType: 'text/x-web-markdown', content: 'x'.repeat(7.5 * MB + 10_000) }],
  }),
  'AMP and a watch above 10 MB in base64': () => ({
    amp: 'x'.repeat(4 * MB),
    watchHtml: 'x'.repeat(3.6 * MB),
  }),
}

const GROUPS: Readonly<Record<string, Parts>> = {
  From: FROM,
  recipients: RECIPIENTS,
  body: BODIES,
  attachment: ATTACHMENTS,
  headers: HEADERS,
}

/** What all shapes have in common: an email with which nothing is wrong, and whose bytes are always the same. */
const BASE = {
  from: 'shop@example.com',
  to: 'ann@example.com',
  subject: 'Hello',
  text: 'Hello\n',
  date: new Date(0),
  messageId: '<1@example.com>',
  baseBoundary: 'shapes',
}

/** Merges parts; a part that gives headers adds to those of another one. */
function toShape(title: string, parts: readonly Part[]): MessageShape {
  return {
    title,
    make: (places) => {
      const message: Record<string, unknown> = { ...BASE }
      for (const part of parts) {
        const { headers, ...rest } = part(places) as Record<string, unknown>
        Object.assign(message, rest)
        if (headers !== undefined) message.headers = [...toPairs(message.headers), ...toPairs(headers)]
      }
      return parts.length === 1 ? { ...BASE, ...parts[0]!(places) } : message
    },
  }
}

function toPairs(headers: unknown): { key: string; value: unknown }[] {
  if (headers === undefined) return []
  if (Array.isArray(headers)) return headers
  const map = headers as Record<string, unknown>
  if (typeof map.key === 'string') return [{ key: map.key, value: map.value }]
  return Object.entries(map).map(([key, value]) => ({ key, value }))
}

/** Each part on a plain mail, and emails of parts drawn at random from all groups: so many shapes in all. */
export function listShapes(count: number, seed: number): MessageShape[] {
  const singles = Object.entries({ ...GROUPS, raw: RAW, size: SIZES }).flatMap(([group, parts]) =>
    Object.entries(parts).map(([name, part]) => toShape(`${group}: ${name}`, [part])),
  )
  const draw = fc.tuple(
    ...Object.entries(GROUPS).map(([group, parts]) =>
      fc.option(
        fc.constantFrom(
          ...Object.entries(parts).map(([name, part]) => ({ name: `${group}: ${name}`, part })),
        ),
      ),
    ),
  )
  const drawn = fc.sample(draw, { numRuns: Math.max(0, count - singles.length), seed }).map((chosen) => {
    const parts = chosen.filter((one) => one !== null)
    return toShape(parts.map(({ name }) => name).join(', ') || 'a plain mail', [
      () => ({}),
      ...parts.map(({ part }) => part),
    ])
  })
  return [...singles, ...drawn]
}
