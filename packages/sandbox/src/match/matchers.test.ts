import { stripVTControlCharacters } from 'node:util'
import { type PostmarkFields, toHeaderEntries } from '@postmark-smtp/core'
import { createTransport } from 'nodemailer'
import { expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../sandbox.js'
import '../vitest.js'

const message = { from: 'Shop <shop@example.com>', to: 'ann@example.com', subject: 'Welcome', text: 'Hi' }

async function send({ port, token }: Sandbox, fields: PostmarkFields, to = message.to): Promise<void> {
  const auth = { user: token, pass: token }
  const headers = toHeaderEntries(fields).map((entry) => ({ ...entry }))
  await createTransport({ host: '127.0.0.1', port, auth, ignoreTLS: true }).sendMail({
    ...message,
    to,
    headers,
  })
}

/** What a failing expectation prints, without colours. */
async function failure(expectation: Promise<void>): Promise<string> {
  const error: unknown = await expectation.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof Error)) throw new Error('The expectation did not fail.')
  return stripVTControlCharacters(error.message).replaceAll(/ +$/gm, '')
}

it('passes for an email that was sent', async () => {
  await using sandbox = await startSandbox()
  await expect(sandbox).not.toHaveSent()
  await send(sandbox, { messageStream: 'broadcast', tag: 'welcome', metadata: { 'order-id': '42' } })
  await expect(sandbox).toHaveSent()
  await expect(sandbox).toHaveSent({
    to: 'ANN@example.com',
    stream: 'broadcast',
    tag: expect.stringContaining('come'),
    metadata: { 'order-id': 42 },
  })
  await expect(sandbox).toHaveSent((mail) => mail.subject === 'Welcome')
  await expect(sandbox).not.toHaveSent({ to: 'bob@example.com' })
})

it('waits for an email of a background job', async () => {
  await using sandbox = await startSandbox()
  const expectation = expect(sandbox).toHaveSent({ tag: 'late' }, { timeoutMs: 30_000 })
  await send(sandbox, { tag: 'early' })
  await send(sandbox, { tag: 'late' })
  await expectation
})

it('shows how the closest mail differs, and lists the others', async () => {
  await using sandbox = await startSandbox()
  await send(sandbox, { tag: 'receipt', metadata: { 'order-id': '41', tenant: 'acme' } })
  await send(sandbox, { tag: 'newsletter' }, 'bob@example.com, carol@example.com')
  const match = {
    to: 'ANN@example.com',
    subject: expect.stringMatching(/^Wel/),
    stream: 'broadcast',
    tag: 'receipt',
    metadata: { 'order-id': 42, tenant: 'acme', user: '7' },
  }
  expect(await failure(expect(sandbox).toHaveSent(match, { timeoutMs: 0 }))).toMatchInlineSnapshot(`
    "expect(sandbox).toHaveSent(match)

    No email matched within 0 ms. The closest of 2 is to ann@example.com, subject 'Welcome':

    - Expected
    + Received

      {
        "metadata": {
    -     "order-id": "42",
    +     "order-id": "41",
          "tenant": "acme",
    -     "user": "7",
    +     "user": undefined,
        },
    -   "stream": "broadcast",
    +   "stream": "outbound",
        "subject": StringMatching /^Wel/,
        "tag": "receipt",
        "to": "ANN@example.com",
      }

    The others:
      - to bob@example.com, carol@example.com, subject 'Welcome', postmark { tag: 'newsletter' }"
  `)
})

it('shows every recipient where none is the wanted one, and values of another type as they are', async () => {
  await using sandbox = await startSandbox()
  await send(sandbox, { trackOpens: false }, 'bob@example.com, carol@example.com')
  const match = { to: /^ann@/, postmark: { trackOpens: true, tag: null, metadata: { user: '1' } } }
  expect(await failure(expect(sandbox).toHaveSent(match, { timeoutMs: 0 }))).toMatchInlineSnapshot(`
    "expect(sandbox).toHaveSent(match)

    No email matched within 0 ms. The closest of 1 is to bob@example.com, carol@example.com, subject 'Welcome':

    - Expected
    + Received

      {
        "postmark": {
          "metadata": {
    -       "user": "1",
    +       "user": undefined,
          },
          "tag": null,
    -     "trackOpens": true,
    +     "trackOpens": false,
        },
    -   "to": /^ann@/,
    +   "to": [
    +     "bob@example.com",
    +     "carol@example.com",
    +   ],
      }"
  `)
})

it('shows what was sent where nothing should be', async () => {
  await using sandbox = await startSandbox()
  await send(sandbox, { tag: 'receipt' })
  expect(await failure(expect(sandbox).not.toHaveSent({ tag: /rec/ }))).toMatchInlineSnapshot(`
    "expect(sandbox).not.toHaveSent(match)

    No email was expected to match, but 1 did:
      - to ann@example.com, subject 'Welcome', postmark { tag: 'receipt' }"
  `)
})

it('fails with and without .not for an email that Postmark would refuse, and says why', async () => {
  await using sandbox = await startSandbox()
  await send(sandbox, { messageStream: 'nowhere', tag: 'receipt' })
  expect(
    await failure(expect(sandbox).toHaveSent({ tag: 'receipt' }, { timeoutMs: 0 })),
  ).toMatchInlineSnapshot(`
    "expect(sandbox).toHaveSent(match)

    An email matched, but Postmark would refuse it:
      - to ann@example.com, subject 'Welcome', postmark { messageStream: 'nowhere', tag: 'receipt' }, refused: 1235
        1235: The stream provided: 'nowhere' does not exist on this server. Use the stream ID, not its name. The ID \`broadcast\` has no final s. In this sandbox, declare it with \`streams: ['nowhere']\` or \`--stream nowhere\`."
  `)
  expect(await failure(expect(sandbox).toHaveSent({ stream: 'nowhere' }, { timeoutMs: 0 }))).toMatch(
    'An email matched, but Postmark would refuse it',
  )
  await expect(sandbox).not.toHaveSent({ stream: 'outbound' })
  expect(await failure(expect(sandbox).not.toHaveSent({ tag: 'receipt' }))).toMatch(
    /No email was expected to match.*refused: 1235$/s,
  )
  await send(sandbox, { tag: 'receipt' })
  await expect(sandbox).toHaveSent({ tag: 'receipt' })
})

it('says that nothing was sent, and lists all where a function decides', async () => {
  await using sandbox = await startSandbox()
  const none = expect(sandbox).toHaveSent({ tag: 'welcome' }, { timeoutMs: 0 })
  expect((await failure(none)).replace(/:\d+\?/, ':PORT?')).toMatchInlineSnapshot(`
    "expect(sandbox).toHaveSent(match)

    No email was sent within 0 ms. Nothing arrived at all. Does the application send to 127.0.0.1:PORT?

    - Expected
    + Received

    - {
    -   "tag": "welcome",
    - }
    + {}"
  `)
  const any = expect(sandbox).toHaveSent(undefined, { timeoutMs: 0 })
  expect(await failure(any)).toMatch(
    /No email was sent within 0 ms\. Nothing arrived at all\. Does the application send to 127\.0\.0\.1:\d+\?$/,
  )
  await send(sandbox, { tag: 'receipt' })
  const decided = expect(sandbox).toHaveSent(() => false, { timeoutMs: 0 })
  expect(await failure(decided)).toMatch(/These were sent:\n {2}- to ann@example\.com, subject 'Welcome'/)
})

it.each<[string, unknown, object, RegExp]>([
  ['something that is no sandbox', 'mailer', {}, /takes a sandbox, not 'mailer'/],
  ['nothing', undefined, {}, /takes a sandbox, not undefined/],
  [
    'a key that is none',
    { outbox: [], waitFor() {} },
    { tags: 'x' },
    /Unknown option "tags". Did you mean "tag"/,
  ],
])('refuses %s, also with .not', async (_, received, match, text) => {
  expect(await failure(expect(received).toHaveSent(match))).toMatch(text)
  expect(await failure(expect(received).not.toHaveSent(match))).toMatch(text)
})

it.each<[string, unknown, unknown, RegExp]>([
  ['a number', {}, 5000, /Option timeoutMs is .*; it must be given in an object: { timeoutMs: 5000 }/],
  ['an unknown option', {}, { timeout: 5000 }, /Unknown option "timeout". Did you mean "timeoutMs"/],
  ['no length of time', {}, { timeoutMs: Number.POSITIVE_INFINITY }, /it must be a number of milliseconds/],
  [
    'metadata that is a text',
    { metadata: 'order-id' },
    {},
    /Option metadata is .*; it must be an object such as {/,
  ],
])('refuses %s, in waitFor too', async (_, match, options, text) => {
  await using sandbox = await startSandbox()
  expect(await failure(expect(sandbox).toHaveSent(match as object, options as object))).toMatch(text)
  await expect(sandbox.waitFor(match as object, options as object)).rejects.toThrow(text)
})

it('passes on what a function or a matcher throws', async () => {
  await using sandbox = await startSandbox()
  await send(sandbox, {})
  const broken = () => {
    throw new Error('broken predicate')
  }
  expect(await failure(expect(sandbox).toHaveSent(broken))).toBe('broken predicate')
})

it.each<[string, unknown, string, string]>([
  ['an address', 'ann@example.com', '"ann@example.com"', '{ to: "ann@example.com" }'],
  ['another text', 'Welcome', '"Welcome"', '{ subject: "Welcome" }'],
  ['a pattern, which has no keys', /^Wel/, '/^Wel/', '{ subject: /^Wel/ }'],
  ['a matcher', expect.stringContaining('Wel'), 'a matcher', '{ to: "ann@example.com" }'],
  ['a list', ['ann@example.com'], 'an array', '{ to: "ann@example.com" }'],
  ['null', null, 'null', '{ to: "ann@example.com" }'],
  ['a number', 1, 'a number', '{ to: "ann@example.com" }'],
])(
  'names what a match looks like where it is %s, for waitFor and with .not too',
  async (_what, match, given, example) => {
    await using sandbox = await startSandbox()
    await send(sandbox, {})
    const told = `The match is ${given}; it must be an object such as ${example}, or a function that takes an email.`
    const wrong = match as never
    expect(await failure(expect(sandbox).toHaveSent(wrong))).toBe(told)
    expect(await failure(expect(sandbox).not.toHaveSent(wrong))).toBe(told)
    await expect(sandbox.waitFor(wrong)).rejects.toMatchObject({
      code: 'ERR_POSTMARK_OPTIONS',
      message: told,
    })
  },
)

it('refuses a field of `postmark` that is none, which `null` would let any email pass', async () => {
  await using sandbox = await startSandbox()
  await send(sandbox, {})
  const match = { postmark: { tags: null } } as object
  expect(await failure(expect(sandbox).toHaveSent(match))).toBe('Unknown option "tags". Did you mean "tag"?')
})

const PDF = { filename: 'invoice.pdf', content: Buffer.from('%PDF-1.7') }

async function sendWhole({ port, token }: Sandbox, mail: object): Promise<void> {
  const auth = { user: token, pass: token }
  const transport = createTransport({ host: '127.0.0.1', port, auth, ignoreTLS: true })
  await transport.sendMail({ ...message, ...mail })
}

it('takes cc, bcc, replyTo, text, html and attachments', async () => {
  await using sandbox = await startSandbox()
  await sendWhole(sandbox, {
    cc: 'Bob <bob@example.com>',
    bcc: 'eve@example.com',
    replyTo: 'help@example.com',
    html: '<p>Gr\u00fc\u00dfe, <a href="https://example.com/a?b=1&amp;c=2">Ann</a></p>',
    attachments: [PDF],
  })
  await expect(sandbox).toHaveSent({ cc: 'BOB@example.com', bcc: /^eve@/, replyTo: 'help@example.com' })
  await expect(sandbox).toHaveSent({ text: 'Hi', html: 'Gr\u00fc\u00dfe', attachments: ['invoice.pdf'] })
  await expect(sandbox).toHaveSent({
    text: /^Hi$/m,
    html: expect.stringContaining('<p>'),
    attachments: [{ filename: /pdf$/, mimeType: 'application/pdf', content: PDF.content }],
  })
  for (const match of [
    { cc: null },
    { bcc: 'bob@example.com' },
    { replyTo: null },
    { text: 'Bye' },
    { html: null },
    { attachments: [] },
    { attachments: ['other.pdf'] },
    { attachments: [{ filename: 'invoice.pdf', content: 'other' }] },
  ])
    await expect(sandbox).not.toHaveSent(match)
  expect(sandbox.outbox[0]?.links()).toEqual(['https://example.com/a?b=1&c=2'])
})

it('waits until as many emails match as are wanted, and says how many did', async () => {
  await using sandbox = await startSandbox()
  const expectation = expect(sandbox).toHaveSent({ tag: 'news' }, { count: 2, timeoutMs: 30_000 })
  await send(sandbox, { tag: 'news' })
  await send(sandbox, { tag: 'other' })
  await send(sandbox, { tag: 'news' })
  await expectation
  await expect(sandbox).toHaveSent({ tag: 'none' }, { count: 0 })
  const fewer = await failure(expect(sandbox).toHaveSent({ tag: 'news' }, { count: 3, timeoutMs: 0 }))
  expect(fewer).toMatch(
    /^expect\(sandbox\).*\n\n2 emails matched within 0 ms, but 3 must match:\n {2}- to ann/,
  )
  await expect(expect(sandbox).toHaveSent({}, { count: 1 })).rejects.toThrow('3 emails matched')
  await expect(expect(sandbox).toHaveSent({}, { count: 1.5 })).rejects.toThrow('count')
})

it('shows what of a file differs, and a long text only at its beginning', async () => {
  await using sandbox = await startSandbox()
  await sendWhole(sandbox, { text: 'x'.repeat(5000), attachments: [PDF] })
  const match = { text: 'Hello', attachments: [{ filename: 'receipt.pdf' }] }
  const text = await failure(expect(sandbox).toHaveSent(match, { timeoutMs: 0 }))
  expect(text).toContain('-       "filename": "receipt.pdf"')
  expect(text).toContain('+       "filename": "invoice.pdf"')
  expect(text).toMatch(/\u2026 \(50\d\d characters\)/)
  expect(text.length).toBeLessThan(1500)
})

it('refuses a function that returns a promise, which would match any email', async () => {
  await using sandbox = await startSandbox()
  await send(sandbox, {})
  const decide = (async () => false) as unknown as () => boolean
  await expect(expect(sandbox).toHaveSent(decide)).rejects.toThrow('returned a promise')
})

it('refuses attachments that are no list', async () => {
  await using sandbox = await startSandbox()
  const match = { attachments: 'invoice.pdf' as unknown as string[] }
  await expect(expect(sandbox).toHaveSent(match)).rejects.toThrow('attachments')
})
