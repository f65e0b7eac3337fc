import { AsyncResource } from 'node:async_hooks'
import { startSmtpServer } from '@postmark-smtp/testing'
import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest'
import {
  attachPostmark,
  currentPostmark,
  POSTMARK_FIELDS,
  type PostmarkFields,
  type PostmarkProblem,
  runWithPostmark,
  toHeaderEntries,
  updatePostmark,
} from '../index.js'
import { createCompileStep } from './compile-step.js'

let server: Awaited<ReturnType<typeof startSmtpServer>>
beforeAll(async () => {
  server = await startSmtpServer({ auth: 'none' })
})
afterAll(() => server.close())
beforeEach(() => server.clear())

const message = { from: 'a@example.com', to: 'b@example.com', subject: 'Hello', text: 'Hello' }

function connect(defaults?: object) {
  const { host, port, ca } = server
  return createTransport({ host, port, requireTLS: true, tls: { ca } }, defaults)
}

const postmarkLines = (index = 0) =>
  server.mails[index]!.headerLines.filter((line) => /^x-pm-/i.test(line)).toSorted()

describe('attachPostmark', () => {
  it('lets the level that is nearest to the message win, and merges metadata key by key', async () => {
    const levels = (level: string): PostmarkFields => ({ metadata: { shared: level, [level]: 'yes' } })
    const transporter = attachPostmark(
      connect({
        postmark: levels('transport'),
        headers: { 'X-PM-Metadata-header': 'yes', 'X-PM-Tag': 'transport' },
      }),
      { defaults: { ...levels('defaults'), tag: 'defaults', trackOpens: true } },
    )
    await runWithPostmark({ ...levels('outer'), tag: 'outer', keepId: true }, () =>
      runWithPostmark({ ...levels('inner'), keepId: null }, () =>
        transporter.sendMail({
          ...message,
          postmark: levels('message'),
          headers: { 'X-PM-Metadata-SHARED': 'explicit' },
        } as object),
      ),
    )
    expect(postmarkLines()).toEqual([
      'X-PM-Metadata-SHARED: explicit',
      'X-PM-Metadata-defaults: yes',
      'X-PM-Metadata-header: yes',
      'X-PM-Metadata-inner: yes',
      'X-PM-Metadata-message: yes',
      'X-PM-Metadata-outer: yes',
      'X-PM-Metadata-transport: yes',
      'X-PM-Tag: outer',
      'X-PM-TrackOpens: true',
    ])
  })

  it.each([
    ['an array', [{ key: 'X-Own', value: '1' }]],
    ['a single pair', { key: 'X-Own', value: '1' }],
  ])(
    'counts the transport\u2019s default headers where the message has its own as %s',
    async (_shape, headers) => {
      const transporter = attachPostmark(connect({ headers: { 'X-PM-Tag': 'default' } }))
      await transporter.sendMail({ ...message, headers })
      expect(postmarkLines()).toEqual(['X-PM-Tag: default'])
      expect(server.mails[0]!.header('X-Own')).toBe('1')
    },
  )

  it('tells in info.postmark what the email carried and what was doubtful', async () => {
    const told: PostmarkProblem[] = []
    const transporter = attachPostmark(connect(), {
      correlationId: true,
      onWarning: (warning) => told.push(warning),
    })
    const info = (await runWithPostmark({ tag: 't'.repeat(1001), messageStream: 'receipts' }, () =>
      transporter.sendMail({ ...message, postmark: { metadata: { id: 7 } } } as object),
    )) as unknown as { postmark: { correlationId: string; warnings: PostmarkProblem[] } }
    const { correlationId, warnings } = info.postmark
    expect(info.postmark).toMatchObject({
      messageStream: 'receipts',
      tag: 't'.repeat(1000),
      metadata: { id: '7', 'correlation-id': correlationId },
    })
    expect(correlationId).toMatch(/^[0-9a-f-]{36}$/)
    expect(postmarkLines()).toContain(`X-PM-Metadata-correlation-id: ${correlationId}`)
    expect(warnings).toMatchObject([
      { path: 'context.tag', found: 'has 1001 characters', severity: 'warning' },
    ])
    expect(told).toEqual(warnings)
  })

  const everyField: PostmarkFields = Object.fromEntries(
    Object.entries(POSTMARK_FIELDS).map(([field, { example }]) => [field, example]),
  )
  it.each<[string, PostmarkFields, PostmarkFields, PostmarkFields, Record<string, string>]>([
    ['the message', {}, {}, everyField, {}],
    ['a scope', {}, everyField, {}, {}],
    ['the defaults', everyField, {}, {}, {}],
    [
      'headers',
      {},
      {},
      {},
      Object.fromEntries(toHeaderEntries(everyField).map(({ key, value }) => [key, value])),
    ],
  ])('names in info.postmark every field that was sent, from %s', async (_level, ...levels) => {
    const [defaults, scope, postmark, headers] = levels
    const transporter = attachPostmark(connect(), { defaults })
    const info = await runWithPostmark(scope, () => transporter.sendMail({ ...message, postmark, headers }))
    expect({ ...info.postmark }).toEqual({ ...everyField, warnings: info.postmark.warnings })
    expect(postmarkLines()).toHaveLength(Object.keys(POSTMARK_FIELDS).length)
    expectTypeOf(info.postmark.trackOpens).toEqualTypeOf<boolean | undefined>()
  })

  it('names in info.postmark no field that was cleared or never sent', async () => {
    const transporter = attachPostmark(connect(), { defaults: everyField })
    const cleared = Object.fromEntries(Object.keys(everyField).map((field) => [field, null]))
    const info = await transporter.sendMail({ ...message, postmark: { ...cleared, trackOpens: false } })
    expect({ ...info.postmark }).toEqual({ trackOpens: false, warnings: info.postmark.warnings })
    expect(postmarkLines()).toEqual(['X-PM-TrackOpens: false'])
  })

  it('tells in info.postmark.origins which level each field came from', async () => {
    const transporter = attachPostmark(connect(), {
      defaults: { messageStream: 'outbound', metadata: { app: 'shop' } },
      correlationId: { key: 'id' },
    })
    const { postmark } = await runWithPostmark({ tag: 'outer', metadata: { tenant: 'acme' } }, () =>
      runWithPostmark({ tag: 'inner' }, () =>
        transporter.sendMail({
          ...message,
          headers: { 'X-PM-KeepID': 'true' },
          postmark: { trackOpens: true },
        }),
      ),
    )
    const levels = Object.entries(postmark.origins).map(([field, { level }]) => [field, level])
    expect(Object.fromEntries(levels)).toEqual({
      messageStream: 'defaults',
      tag: 'context[0]',
      trackOpens: 'postmark',
      keepId: 'headers',
      'metadata.app': 'defaults',
      'metadata.tenant': 'context[1]',
      'metadata.id': 'correlationId',
    })
    expect(JSON.stringify(postmark)).not.toContain('origins')
  })

  it('answers a callback as Nodemailer does', async () => {
    const transporter = attachPostmark(connect())
    const [error, info] = await new Promise<[Error | null, object]>((resolve) => {
      const returned: unknown = transporter.sendMail(
        { ...message, postmark: { tag: 'a' } } as object,
        (...args) => resolve(args),
      )
      expect(returned).toBeUndefined()
    })
    expect(error).toBeNull()
    expect(info).toMatchObject({ accepted: ['b@example.com'], postmark: { tag: 'a', warnings: [] } })
  })

  it('reads the scope when sendMail is called, whatever plugin runs in between', async () => {
    const transporter = connect()
    const batch: (() => void)[] = []
    transporter.use('compile', (_mail, done) => {
      batch.push(() => done())
    })
    attachPostmark(transporter)
    const first = runWithPostmark({ tag: 'first' }, () => transporter.sendMail(message))
    const second = runWithPostmark({ tag: 'second' }, () => transporter.sendMail(message))
    runWithPostmark({ tag: 'stranger' }, () => {
      for (const release of batch) release()
    })
    await Promise.all([first, second])
    expect([...postmarkLines(0), ...postmarkLines(1)].toSorted()).toEqual([
      'X-PM-Tag: first',
      'X-PM-Tag: second',
    ])
  })

  it('keeps a job apart from the request in which its worker was created', async () => {
    const transporter = attachPostmark(connect())
    const carried = runWithPostmark({ tag: 'b', metadata: { tenant: 'b' } }, () => currentPostmark()!)
    // A pool or timer created lazily inside request A keeps A's store for good: AsyncResource is what they use.
    const worker = runWithPostmark({ tag: 'a', trackOpens: true }, () => new AsyncResource('worker'))
    await worker.runInAsyncScope(() =>
      runWithPostmark(carried, () => transporter.sendMail(message), { inherit: false }),
    )
    expect(postmarkLines()).toEqual(['X-PM-Metadata-tenant: b', 'X-PM-Tag: b'])
  })

  it('sees what updatePostmark set before the email, and nothing that came after', async () => {
    const transporter = attachPostmark(connect())
    await runWithPostmark({ tag: 'early' }, async () => {
      updatePostmark({ metadata: { user: 'u1' } })
      const sent = transporter.sendMail(message)
      updatePostmark({ tag: 'late', metadata: { user: 'u2' } })
      await sent
    })
    expect(postmarkLines()).toEqual(['X-PM-Metadata-user: u1', 'X-PM-Tag: early'])
  })

  it('calls a context function once per email, when it is sent, and survives one that throws', async () => {
    const warnings: PostmarkProblem[] = []
    const transporter = attachPostmark(connect(), { onWarning: (warning) => warnings.push(warning) })
    const request: { user?: string } = {}
    let calls = 0
    await runWithPostmark(
      () => {
        calls++
        return { metadata: { user: request.user } }
      },
      async () => {
        request.user = 'late'
        await runWithPostmark(
          () => {
            throw new Error('secret')
          },
          () => transporter.sendMail(message),
        )
      },
    )
    expect(calls).toBe(1)
    expect(postmarkLines()).toEqual(['X-PM-Metadata-user: late'])
    expect(warnings).toMatchObject([{ path: 'context', found: 'threw Error' }])
    expect(JSON.stringify(warnings)).not.toContain('secret')
  })

  it('writes into nothing that is the caller\u2019s, also where Nodemailer would', async () => {
    const transporter = attachPostmark(connect({ headers: { 'X-Default': '1' } }))
    const mail = {
      ...message,
      headers: { 'X-Own': '1' },
      attachments: [{ path: 'data:text/plain,hi' }],
      html: { content: '<p>' },
    }
    const before = structuredClone(mail)
    await runWithPostmark({ tag: 'one' }, () => transporter.sendMail(mail))
    await transporter.sendMail(Object.freeze(mail))
    expect(mail).toEqual(before)
    expect([postmarkLines(0), postmarkLines(1)]).toEqual([['X-PM-Tag: one'], []])
    expect(server.mails[1]!.header('X-Default')).toBe('1')
  })

  it.each(['throw', 'warn', 'fit'] as const)(
    'rejects a bad stream from the context under preflight: %s',
    async (preflight) => {
      const transporter = attachPostmark(connect(), { preflight })
      const sent = runWithPostmark({ messageStream: 'My Stream' }, () => transporter.sendMail(message))
      await expect(sent).rejects.toMatchObject({
        code: 'ERR_POSTMARK_PREFLIGHT',
        problems: [{ path: 'context.messageStream', errorCode: 1235 }],
      })
      expect(server.mails).toHaveLength(0)
    },
  )

  it('rejects a message with every problem at once', async () => {
    const bad = {
      ...message,
      subject: 's'.repeat(2001),
      headers: { 'X-PM-Track-Opens': 'true', 'X-PM-Metadata': '{"a":1}' },
      postmark: { tag: ['a', 'b'], metadata: { 'a b': '1', long: 'v'.repeat(81) }, tga: 'x' },
      attachments: [{ filename: 'run.exe', content: '' }],
    }
    const sent = attachPostmark(connect()).sendMail(bad as object)
    await expect(sent).rejects.toMatchObject({
      code: 'ERR_POSTMARK_PREFLIGHT',
      problems: [
        { path: 'postmark.tag' },
        { path: 'postmark.metadata["a b"]' },
        { path: 'postmark.metadata.long', limit: 'at most 80 characters', errorCode: 300 },
        { path: 'postmark.tga', cure: 'Did you mean "tag"?' },
        { path: 'headers.X-PM-Track-Opens' },
        { path: 'headers.X-PM-Metadata' },
        { path: 'subject' },
        { path: 'attachments[0].filename', errorCode: 411 },
      ],
    })
    expect(server.mails).toHaveLength(0)
  })

  it('sends what it can under preflight: fit, and says what it did', async () => {
    const transporter = attachPostmark(connect(), { preflight: 'fit' })
    const metadata = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [`k${index}`, 'v'.repeat(90)]),
    )
    const info = await transporter.sendMail({
      ...message,
      postmark: { tag: 't'.repeat(2000), metadata },
    } as object)
    expect(postmarkLines().slice(0, 10)).toEqual(
      Array.from({ length: 10 }, (_, index) => `X-PM-Metadata-k${index}: ${'v'.repeat(80)}`),
    )
    expect(server.mails[0]!.header('X-PM-Tag')).toBe('t'.repeat(1000))
    expect((info as unknown as { postmark: { tag: string } }).postmark.tag).toHaveLength(1000)
  })

  it('drops surplus keys of the outermost level first', async () => {
    const keys = (prefix: string, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, '1']))
    const transporter = attachPostmark(connect(), { defaults: { metadata: keys('d', 3) } })
    const info = await runWithPostmark({ metadata: keys('c', 3) }, () =>
      transporter.sendMail({ ...message, postmark: { metadata: keys('m', 6) } } as object),
    )
    const sent = postmarkLines().map((line) => line.slice('X-PM-Metadata-'.length, line.indexOf(':')))
    expect(sent).toEqual(['c0', 'c1', 'c2', 'd0', 'm0', 'm1', 'm2', 'm3', 'm4', 'm5'])
    expect((info as unknown as { postmark: { warnings: object[] } }).postmark.warnings).toMatchObject([
      { path: 'defaults.metadata.d2' },
      { path: 'defaults.metadata.d1' },
    ])
  })

  it.each([
    ['SESTransport', 'Amazon SES'],
    ['Postmark', 'REST API'],
  ])('refuses the HTTP transport %s', (name, what) => {
    const transporter = createTransport({ name, version: '1', send: () => {} })
    expect(() => attachPostmark(transporter)).toThrow(
      expect.objectContaining({ code: 'ERR_POSTMARK_TRANSPORT', message: expect.stringContaining(what) }),
    )
  })

  it('doubts a transport that it does not know, once', () => {
    const warnings: PostmarkProblem[] = []
    const transporter = createTransport({ name: 'carrier-pigeon', version: '1', send: () => {} })
    attachPostmark(transporter, { onWarning: (warning) => warnings.push(warning) })
    attachPostmark(transporter, { onWarning: (warning) => warnings.push(warning) })
    expect(warnings).toMatchObject([{ path: 'transporter', found: 'is a transport named "carrier-pigeon"' }])
  })

  it('refuses implicit TLS to Postmark', () => {
    const transporter = createTransport({ host: 'smtp.postmarkapp.com', port: 465, secure: true })
    expect(() => attachPostmark(transporter)).toThrow(expect.objectContaining({ code: 'ERR_POSTMARK_TLS' }))
  })
})

describe('the compile step alone', () => {
  it('reads the scope that is open when its turn comes: behind a batching plugin another request\u2019s', async () => {
    const transporter = connect()
    const batch: (() => void)[] = []
    transporter.use('compile', (_mail, done) => {
      batch.push(() => done())
    })
    transporter.use('compile', createCompileStep())
    const sent = runWithPostmark({ tag: 'own' }, () => transporter.sendMail(message))
    runWithPostmark({ tag: 'stranger' }, () => batch[0]!())
    await sent
    expect(postmarkLines()).toEqual(['X-PM-Tag: stranger'])
  })

  it('adds nothing to info', async () => {
    const transporter = connect()
    transporter.use('compile', createCompileStep())
    expect(await transporter.sendMail({ ...message, postmark: { tag: 'a' } } as object)).not.toHaveProperty(
      'postmark',
    )
  })

  it('takes the transport\u2019s default headers for the message\u2019s, keeps the first spelling, and warns once', async () => {
    const warnings: PostmarkProblem[] = []
    const transporter = connect({ headers: { 'X-PM-Tag': 'default' } })
    transporter.use('compile', createCompileStep({ onWarning: (warning) => warnings.push(warning) }))
    const send = () => transporter.sendMail({ ...message, headers: { 'x-pm-tag': 'message' } })
    await send()
    await send()
    expect([postmarkLines(0), postmarkLines(1)]).toEqual([['X-PM-Tag: message'], ['X-PM-Tag: message']])
    expect(warnings).toMatchObject([{ path: 'headers.X-PM-Tag', found: 'is given twice' }])
  })
})
