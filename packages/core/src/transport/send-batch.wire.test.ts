import { type ReceivedMail, size, startSmtpServer } from '@postmark-smtp/testing'
import fc from 'fast-check'
import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type BatchMessage,
  type BatchResult,
  createPostmarkTransport,
  type PostmarkTransportOptions,
  sendBatch,
} from '../index.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'

let server: Awaited<ReturnType<typeof startSmtpServer>>
beforeAll(async () => {
  server = await startSmtpServer()
})
afterAll(() => server.close())
beforeEach(() => server.clear())

function setUp(options: Partial<PostmarkTransportOptions> = {}) {
  const { host, port, ca } = server
  const all = {
    serverToken: TOKEN,
    host,
    ports: [port],
    tls: { ca },
    messageStream: 'news',
    streams: { news: { type: 'broadcasts' } },
    onWarning: () => {},
    ...options,
  } as PostmarkTransportOptions
  const transporter = createPostmarkTransport(all)
  return { transporter, [Symbol.asyncDispose]: () => transporter.close() }
}

async function collect(results: AsyncIterable<BatchResult>): Promise<BatchResult[]> {
  const list: BatchResult[] = []
  for await (const result of results) list.push(result)
  return list
}

const html = `<p>Grüße von uns. <a href="{{{ pm:unsubscribe }}}">Abmelden</a></p>\n`.repeat(40)
const news = {
  from: 'News <news@example.com>',
  subject: 'November',
  text: 'Hello\n\n{{{ pm:unsubscribe }}}\n',
  html,
}

describe('sendBatch', () => {
  it('sends one email for each message of a generator, and yields what became of each', async () => {
    await using set = setUp()
    async function* readers() {
      for (let id = 1; id <= 100; id++) {
        yield { to: `reader-${id}@example.com`, key: `${id}`, postmark: { metadata: { 'user-id': `${id}` } } }
      }
    }
    const results = await collect(
      sendBatch(set.transporter, readers(), {
        message: { ...news, list: { unsubscribe: 'https://example.com/u' } },
      }),
    )
    expect(results).toHaveLength(100)
    for (const result of results) {
      const id = result.index + 1
      expect(result).toMatchObject({ outcome: 'sent', key: `${id}`, to: `reader-${id}@example.com` })
      if (result.outcome === 'sent') expect(result.info.accepted).toEqual([`reader-${id}@example.com`])
    }
    expect(server.mails).toHaveLength(100)
    for (const { envelope, headerLines, body } of server.mails) {
      const id = /\d+/.exec(envelope.to[0]!)![0]
      expect(headerLines).toContain(`To: reader-${id}@example.com`)
      expect(headerLines).toContain(`X-PM-Metadata-user-id: ${id}`)
      expect(headerLines).toContain('X-PM-Message-Stream: news')
      expect(headerLines).toContain('List-Unsubscribe: <https://example.com/u>')
      expect(body).toContain('{{{ pm:unsubscribe }}}')
    }
  })

  it('writes one body for all, and another where an email has content of its own', async () => {
    await using set = setUp()
    const messages: BatchMessage[] = [
      { to: 'a@example.com' },
      { to: 'b@example.com', subject: 'Another subject' },
      { to: 'c@example.com', html: '<p>Only for you</p>' },
      { to: 'd@example.com' },
    ]
    await collect(sendBatch(set.transporter, messages, { message: news }))
    const bodyOf = (to: string) => server.mails.find(({ envelope }) => envelope.to[0] === to)!.body
    expect(bodyOf('b@example.com')).toBe(bodyOf('a@example.com'))
    expect(bodyOf('d@example.com')).toBe(bodyOf('a@example.com'))
    expect(bodyOf('c@example.com')).toContain('Only for you')
    expect(boundaryOf(bodyOf('c@example.com'))).not.toBe(boundaryOf(bodyOf('a@example.com')))
  })

  it('sends the bytes that Nodemailer composes, whatever the emails share and have of their own', async () => {
    await using set = setUp()
    const run = compareWith(set.transporter)
    await fc.assert(
      fc.asyncProperty(sharedContent, fc.array(ownFields, { minLength: 1, maxLength: 5 }), (shared, items) =>
        run(
          shared,
          items.map((item, index) => ({ ...item, to: `reader-${index}@example.com` })),
        ),
      ),
      { numRuns: size(200, 10) },
    )
  })

  it('sends the same bytes, whatever the recipients look like', async () => {
    await using set = await setUp()
    const run = compareWith(set.transporter)
    const shared = fc.record(
      {
        from: fc.constantFrom<BatchMessage['from']>('News <news@example.com>', {
          name: 'Grüße',
          address: 'news@example.com',
        }),
        headers: fc.constantFrom<BatchMessage['headers']>(
          { 'X-Campaign': 'november' },
          { Date: 'Mon, 1 Jan 2024 00:00:00 +0000' },
          [{ key: 'X-Campaign', value: 'list' }],
        ),
        list: fc.constant({ unsubscribe: 'https://example.com/u' }),
        replyTo: fc.constant('help@example.com'),
        cc: fc.constant('boss@example.com'),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(shared, fc.array(recipient, { minLength: 2, maxLength: 12 }), (message, list) =>
        run(
          message,
          list.map((toRecipient, index) => ({
            to: toRecipient(`r${index}`),
            postmark: { tag: `t${index}` },
          })),
        ),
      ),
      { numRuns: size(200, 10) },
    )
  })

  it('gives each email a Message-ID and a date of its own', async () => {
    await using set = await setUp()
    const messages = Array.from({ length: 20 }, (_, index) => ({ to: `r${index}@example.com` }))
    const results = await collect(sendBatch(set.transporter, messages, { message: news }))
    const ids = server.mails.map((mail) => mail.header('Message-ID')!)
    expect(new Set(ids).size).toBe(20)
    expect(results.map((each) => each.outcome === 'sent' && each.info.messageId).sort()).toEqual(ids.sort())
    for (const id of ids) expect(id).toMatch(/^<[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}@example\.com>$/)
    for (const mail of server.mails)
      expect(Math.abs(Date.parse(mail.header('Date')!) - Date.now())).toBeLessThan(60_000)
  })

  it('runs the plugins of the transporter for each email, and sends what they have made of it', async () => {
    await using set = await setUp()
    const messages = Array.from({ length: 10 }, (_, index) => ({ to: `r${index}@example.com` }))
    const half = (to: unknown) => Number(/\d+/.exec(String(to))![0]) >= 5
    await collect(sendBatch(set.transporter, messages.slice(0, 3), { message: news }))
    server.clear()
    set.transporter.use('compile', (mail, done) => {
      if (half(mail.data.to)) mail.data.html = `<p>For ${mail.data.to}</p>`
      done()
    })
    set.transporter.use('stream', (mail, done) => {
      mail.message.setHeader('X-Seen', String(mail.data.to))
      done()
    })
    await collect(sendBatch(set.transporter, messages, { message: news }))
    expect(server.mails).toHaveLength(10)
    for (const mail of server.mails) {
      const to = mail.envelope.to[0]!
      expect(mail.header('X-Seen')).toBe(to)
      expect(mail.body.includes(`For ${to}`)).toBe(half(to))
    }
  })
})

describe('a transporter that Nodemailer made from ours, with defaults of its own,', () => {
  it.each<[string, object, (mail: ReceivedMail, index: number) => void]>([
    [
      'a Bcc',
      { bcc: 'archive@example.com' },
      ({ envelope }) => expect(envelope.to).toContain('archive@example.com'),
    ],
    ['a Cc', { cc: 'boss@example.com' }, ({ envelope }) => expect(envelope.to).toContain('boss@example.com')],
    [
      'an envelope',
      { envelope: { from: 'news@example.com', to: 'one@example.com' } },
      ({ envelope }) => expect(envelope.to).toEqual(['one@example.com']),
    ],
    [
      'a Postmark header',
      { headers: { 'X-PM-Tag': 'november' } },
      (mail) => expect(mail.header('X-PM-Tag')).toBe('november'),
    ],
    [
      'a Reply-To',
      { replyTo: 'help@example.com' },
      (mail) => expect(mail.header('Reply-To')).toBe('help@example.com'),
    ],
  ])('sends each email with %s', async (_what, defaults, check) => {
    await using set = setUp()
    const outer = createTransport(set.transporter as never, defaults)
    const messages = Array.from({ length: 6 }, (_, index) => ({ to: `r${index}@example.com` }))
    await collect(sendBatch(outer as never, messages, { message: news }))
    expect(server.mails).toHaveLength(6)
    server.mails.forEach(check)
  })
})

describe('the Postmark fields of a batch', () => {
  const metadata = { campaign: 'november' }
  it.each<[string, unknown, unknown]>([
    ['a Map of metadata', { metadata }, { metadata: new Map([['user', '7']]) }],
    ['a Map of fields', { metadata }, new Map([['metadata', { user: '7' }]])],
    ['a Map of fields for all', new Map([['metadata', metadata]]), { metadata: { user: '7' } }],
    ['URLSearchParams for all', { metadata: new URLSearchParams(metadata) }, { metadata: { user: '7' } }],
    ['null', { metadata: { ...metadata, user: '7' } }, null],
  ])('are merged from %s', async (_what, shared, own) => {
    await using set = setUp()
    const messages = [{ to: 'ann@example.com', postmark: own as never }]
    await collect(sendBatch(set.transporter, messages, { message: { ...news, postmark: shared as never } }))
    expect(server.mails[0]?.header('X-PM-Metadata-campaign')).toBe('november')
    expect(server.mails[0]?.header('X-PM-Metadata-user')).toBe('7')
  })

  class Row {
    get user() {
      return '7'
    }
    get metadata() {
      return { user: '7' }
    }
  }
  it.each<[string, unknown, unknown, string]>([
    [
      'metadata whose getters belong to its class',
      { metadata },
      { metadata: new Row() },
      'postmark.metadata',
    ],
    ['fields whose getters belong to their class', { metadata }, new Row(), 'postmark'],
    ['metadata that is a date', { metadata }, { metadata: new Date() }, 'postmark.metadata'],
    ['metadata for all that is a text', { metadata: 'x' }, { metadata: { user: '7' } }, 'postmark.metadata'],
    ['a key in two spellings', { metadata }, { metadata: { a: '1', A: '2' } }, 'postmark.metadata.A'],
    [
      'a key too many',
      { metadata: Object.fromEntries([...'abcdefghij'].map((key) => [key, '1'])) },
      { metadata: { user: '7' } },
      'postmark.metadata',
    ],
    ['a tag that is too long', { tag: 'x'.repeat(1001) }, { metadata }, 'postmark.tag'],
    [
      'a getter that throws',
      { metadata },
      {
        get tag() {
          throw new Error('x')
        },
      },
      'postmark',
    ],
  ])('are refused with %s, once, as sendMail refuses them', async (_what, shared, own, path) => {
    await using set = setUp()
    const messages = [{ to: 'ann@example.com', postmark: own as never }]
    const [result] = await collect(
      sendBatch(set.transporter, messages, { message: { ...news, postmark: shared as never } }),
    )
    const problems = [expect.objectContaining({ path, severity: 'error' })]
    expect(result).toMatchObject({ outcome: 'refused', error: { problems } })
    expect(server.mails).toEqual([])
  })
})

it('sends all emails of several batches that share a short queue', async () => {
  await using set = setUp({ pool: { maxQueued: 3, maxConnections: 1 } })
  const batch = (name: string) =>
    collect(
      sendBatch(
        set.transporter,
        Array.from({ length: 30 }, (_, index) => ({ to: `${name}${index}@example.com` })),
        { message: news },
      ),
    )
  const results = (await Promise.all([batch('a'), batch('b'), batch('c')])).flat()
  expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['sent']))
  expect(server.mails).toHaveLength(90)
})

describe('content of a batch that changes from mail to mail', () => {
  const readers = Array.from({ length: 8 }, (_, index) => ({ to: `r${index}@example.com` }))
  const indexOf = (to: unknown) => Number(/\d+/.exec(String(to))![0])

  it('is sent as it is at that moment, where its source writes into what all share', async () => {
    await using set = await setUp()
    const file = Buffer.from('for nobody')
    const list = { unsubscribe: { url: 'https://example.com/u' } }
    function* changing() {
      for (const reader of readers) {
        file.write(`for ${indexOf(reader.to)}     `)
        list.unsubscribe.url = `https://example.com/u/${indexOf(reader.to)}`
        yield reader
      }
    }
    const attachments = [{ filename: 'a.txt', content: file }]
    await collect(sendBatch(set.transporter, changing(), { message: { ...news, attachments, list } }))
    for (const mail of server.mails) {
      const index = indexOf(mail.envelope.to[0])
      expect(mail.body).toContain(Buffer.from(`for ${index}     `).toString('base64'))
      expect(mail.header('List-Unsubscribe')).toBe(`<https://example.com/u/${index}>`)
    }
    server.clear()
    await collect(sendBatch(set.transporter, changing(), { message: { ...news, list } }))
    for (const mail of server.mails)
      expect(mail.header('List-Unsubscribe')).toBe(`<https://example.com/u/${indexOf(mail.envelope.to[0])}>`)
  })

  const slowly: Partial<PostmarkTransportOptions> = {
    suppressions: { find: () => new Promise((resolve) => setImmediate(resolve, [])) },
  }
  const afterwards: [string, number, Partial<PostmarkTransportOptions>][] = [
    ['at once', 20, {}],
    ['while it is sent', 300_000, {}],
    ['after a store was asked', 20, slowly],
  ]

  it.each(afterwards)(
    'is that of each email, where its source fills the same object for the next one and it is read %s',
    async (_when, size, options) => {
      await using set = setUp(options)
      const file = Buffer.alloc(size)
      const plain = new Uint8Array(size)
      const list = { unsubscribe: { url: '' } }
      const shared: Record<string, unknown> = {
        ...news,
        list,
        attachments: [{ filename: 'a.txt', content: file }],
      }
      const one = {
        to: { name: '', address: '' },
        alternatives: [{ contentType: 'application/x-own', content: plain }],
      }
      function* changing() {
        for (const { to } of readers) {
          const letter = 'abcdefgh'[indexOf(to)]!
          file.fill(letter)
          plain.fill(letter.charCodeAt(0))
          list.unsubscribe.url = `https://example.com/u/${letter}`
          shared.subject = `To ${letter}`
          shared.headers = { 'X-Own': letter }
          one.to.address = to
          yield one as never
        }
      }
      const results = await collect(sendBatch(set.transporter, changing(), { message: shared }))
      expect(results.map(({ to }) => (to as { address: string }).address).sort()).toEqual(
        readers.map(({ to }) => to),
      )
      expect(server.mails).toHaveLength(8)
      for (const mail of server.mails) {
        const letter = 'abcdefgh'[indexOf(mail.envelope.to[0])]!
        const filled = Buffer.from(letter.repeat(18)).toString('base64')
        expect(mail.header('Subject')).toBe(`To ${letter}`)
        expect(mail.header('X-Own')).toBe(letter)
        expect(mail.header('List-Unsubscribe')).toBe(`<https://example.com/u/${letter}>`)
        expect(mail.body.split(`\r\n\r\n${filled}`)).toHaveLength(3)
      }
    },
  )

  it('is sent as a plugin wants it, in its encoding and its boundary too', async () => {
    await using set = await setUp()
    set.transporter.use('compile', (mail, done) => {
      const index = indexOf(mail.data.to)
      if (index === 2) mail.data.textEncoding = 'base64'
      if (index > 4) mail.data.baseBoundary = `of-${index}`
      done()
    })
    await collect(sendBatch(set.transporter, readers, { message: news }))
    expect(server.mails).toHaveLength(8)
    for (const mail of server.mails) {
      const index = indexOf(mail.envelope.to[0])
      expect(/^Content-Transfer-Encoding: base64$/m.test(mail.body.replaceAll('\r', ''))).toBe(index === 2)
      const boundary = /boundary="?([^";]+)/.exec(mail.header('Content-Type')!)![1]!
      expect(mail.body.startsWith(`--${boundary}\r\n`)).toBe(true)
      expect(boundary.includes(`of-${index}`)).toBe(index > 4)
    }
  })
})

/** Sends the same messages as a batch and one by one, and compares what arrived. */
function compareWith(transporter: ReturnType<typeof createPostmarkTransport>) {
  return async (shared: object, items: readonly BatchMessage[]): Promise<void> => {
    server.clear()
    const message = { ...news, messageId: '<fixed@example.com>', date: new Date(0), ...shared }
    const results = await collect(sendBatch(transporter, items, { message }))
    expect(results.map(({ outcome }) => outcome)).toEqual(items.map(() => 'sent'))
    const batch = server.mails.map(withoutBoundary).sort(byRecipient)
    const sizes = results.sort((a, b) => a.index - b.index).map(sizeOf)
    server.clear()
    for (const { key: _key, html = message.html, ...item } of items) {
      const { headers: ofAll } = shared as BatchMessage
      const headers = Array.isArray(ofAll) ? ofAll : { ...(item.headers as object), ...(ofAll as object) }
      const { messageSize } = await transporter.sendMail({ ...message, ...item, html, headers })
      expect(sizes.shift()).toBe(messageSize)
    }
    const singles = server.mails.map(withoutBoundary).sort(byRecipient)
    expect(batch).toEqual(singles)
  }
}

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter((value) => /\w/.test(value))
const word = fc.stringMatching(/^[a-z]{1,8}$/)
const sharedContent = fc.record(
  {
    subject: text,
    text: fc.oneof(
      text,
      fc.constantFrom('', '.'),
      fc.constant('.dot\n..dots\n.'),
      fc.constant('x'.repeat(2_000)),
    ),
    html: fc.oneof(text, fc.constant(html), fc.constant('')),
    textEncoding: fc.constantFrom('quoted-printable' as const, 'base64' as const),
    attachments: fc.array(
      fc.record(
        {
          content: fc.uint8Array({ maxLength: 200 }).map(Buffer.from),
          filename: word.map((name) => `${name}.txt`),
          cid: word,
        },
        { requiredKeys: ['content', 'filename'] },
      ),
      { maxLength: 2 },
    ),
    headers: fc.record({ 'X-Campaign': word }),
    baseBoundary: fc.constant('of-our-own'),
  },
  { requiredKeys: [] },
)
const ownFields = fc.record(
  {
    subject: text,
    cc: fc.constant('Cäsar <cc@example.com>'),
    replyTo: fc.constant('help@example.com'),
    headers: fc.oneof(fc.record({ 'X-Row': word, '.dot': word }), fc.constant({ 'Content-Language': 'de' })),
    postmark: fc.record({ tag: word, metadata: fc.record({ id: word }) }),
    priority: fc.constantFrom('high' as const, 'low' as const),
    list: fc.constant({ unsubscribe: { url: 'https://example.com/u', comment: 'Abmelden' } }),
    html: fc.oneof(text, fc.constant(undefined)),
    key: word,
  },
  { requiredKeys: [] },
) as fc.Arbitrary<BatchMessage>

const recipient = fc.oneof(
  ...[
    (id: string) => `${id}@example.com`,
    (id: string) => `${id}.b+c@mail.example.co.uk`,
    (id: string) => `Ann Example <${id}@example.com>`,
    (id: string) => ({ name: 'Ann', address: `${id}@example.com` }),
    (id: string) => ({ name: '', address: `${id}@example.com` }),
    (id: string) => `${id}@EXAMPLE.com`,
    (id: string) => `"Ann, Dr." <${id}@example.com>`,
    (id: string) => ({ name: "Ann O'Neil", address: `${id}@example.com` }),
    (id: string) => ({ name: 'Zoë', address: `${id}@example.com` }),
    (id: string) => ({ name: 'Ann  of   Spaces', address: `${id}@example.com` }),
    (id: string) => `${id}@grüße.example`,
    (id: string) => `${id}@xn--gre-hoa5c.example`,
    (id: string) => `${id}${'x'.repeat(50)}@${'y'.repeat(20)}.example.com`,
    (id: string) => ({
      name: 'A very long name that has to be folded somewhere',
      address: `${id}@subscribers.example.com`,
    }),
    (id: string) => [`${id}@example.com`],
    (id: string) => `${id}@example.com, other-${id}@example.com`,
    (id: string) => `${id}@example.com `,
    (id: string) => `<${id}@example.com>`,
    (id: string) => `=?utf-8?q?Ann?= <${id}@example.com>`,
    (id: string) => `${id}@127.0.0.1.example`,
  ].map((make) => fc.constant(make as (id: string) => NonNullable<BatchMessage['to']>)),
)

function sizeOf(result: BatchResult): number | undefined {
  return result.outcome === 'sent' ? result.info.messageSize : undefined
}

interface Seen {
  readonly envelope: ReceivedMail['envelope']
  readonly raw: string
}

function byRecipient(one: Seen, other: Seen): number {
  return one.envelope.to[0]! < other.envelope.to[0]! ? -1 : 1
}

function boundaryOf(text: string): string | undefined {
  return /--_NmP-(\w+)-/.exec(text)?.[1]
}

function withoutBoundary({ raw, envelope }: ReceivedMail): Seen {
  return { envelope, raw: raw.toString('latin1').replace(/--_NmP-[0-9a-f]{16}-/g, '--_NmP-') }
}
