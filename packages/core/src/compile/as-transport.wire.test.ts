import { type SmtpServer, startSmtpServer } from '@postmark-smtp/testing'
import { createTransport, type Transporter } from 'nodemailer'
import { describe, expect, it } from 'vitest'
import {
  attachPostmark,
  createPostmarkTransport,
  type PostmarkTransporter,
  runWithPostmark,
} from '../index.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const message = { from: 'a@example.com', to: 'b@example.com', subject: 'Hello', text: 'Hello' }

async function setUp(options: object = {}) {
  const server = await startSmtpServer({ auth: [{ user: TOKEN, pass: TOKEN }] })
  const { host, port, ca } = server
  const ours = createPostmarkTransport({
    serverToken: TOKEN,
    host,
    ports: [port],
    tls: { ca },
    defaults: { tag: 'ours', metadata: { app: 'shop' } },
    ...options,
  })
  const end = async () => {
    await ours.close()
    await server.close()
  }
  return { server, ours, [Symbol.asyncDispose]: end }
}

const lines = (server: SmtpServer, index = 0) =>
  server.mails[index]!.headerLines.filter((line) => /^x-/i.test(line)).toSorted()

const makeOuter = createTransport as unknown as (transport: object, defaults?: object) => Transporter
const ways: readonly (readonly [string, (ours: PostmarkTransporter) => object])[] = [
  ['a transporter of ours', (ours) => ours],
  ['the transport of one', (ours) => (ours as unknown as { transporter: object }).transporter],
]

describe.each(ways)('%s given to createTransport', (_name, pick) => {
  it('sends with headers, the defaults of both, and info.postmark', async () => {
    await using set = await setUp({ message: { replyTo: 'r@example.com', from: 'inner@example.com' } })
    const outer = makeOuter(pick(set.ours), {
      from: 'outer@example.com',
      headers: { 'X-Outer': '1', 'X-PM-Metadata-outer': '1' },
    })
    const { from: _from, ...mail } = message
    const info = await runWithPostmark({ metadata: { scope: '1' } }, () => outer.sendMail(mail))
    expect(lines(set.server)).toEqual([
      'X-Outer: 1',
      'X-PM-Metadata-app: shop',
      'X-PM-Metadata-outer: 1',
      'X-PM-Metadata-scope: 1',
      'X-PM-Tag: ours',
    ])
    expect(set.server.mails[0]!.header('From')).toBe('outer@example.com')
    expect(set.server.mails[0]!.header('Reply-To')).toBe('r@example.com')
    expect(info).toMatchObject({ postmark: { tag: 'ours', attempts: 1, host: set.server.host } })
  })

  it('sends from several transporters, each with defaults of its own', async () => {
    await using set = await setUp()
    const first = makeOuter(pick(set.ours), { headers: { 'X-Which': 'first' } })
    const second = makeOuter(pick(set.ours), { headers: { 'X-Which': 'second' } })
    await first.sendMail(message)
    await second.sendMail(message)
    await set.ours.sendMail(message)
    expect(set.server.mails.map((mail) => mail.header('X-Which'))).toEqual(['first', 'second', undefined])
    for (const index of [0, 1, 2]) expect(lines(set.server, index)).toContain('X-PM-Tag: ours')
  })

  it('fixes what an email carries when sendMail is called', async () => {
    await using set = await setUp({ suppressions: { find: async () => [] } })
    const outer = makeOuter(pick(set.ours))
    const sent = runWithPostmark({ tag: 'first' }, () => outer.sendMail(message))
    await runWithPostmark({ tag: 'second' }, () => sent)
    expect(lines(set.server)).toContain('X-PM-Tag: first')
  })

  it('verifies and closes', async () => {
    await using set = await setUp()
    const outer = makeOuter(pick(set.ours))
    expect(await outer.verify()).toBe(true)
    const sent = outer.sendMail(message)
    await (outer.close as () => unknown)()
    expect(await sent).toMatchObject({ accepted: ['b@example.com'] })
    await expect(outer.sendMail(message)).rejects.toMatchObject({ code: 'ERR_POSTMARK_CLOSED' })
    await expect(set.ours.sendMail(message)).rejects.toMatchObject({ code: 'ERR_POSTMARK_CLOSED' })
  })

  it('is attached once, whoever attaches again', async () => {
    await using set = await setUp()
    const outer = attachPostmark(makeOuter(pick(set.ours)), { defaults: { tag: 'again' } })
    await outer.sendMail(message)
    expect(lines(set.server)).toContain('X-PM-Tag: ours')
  })
})

it('a transporter of ours has the type of a transport, and its result', async () => {
  await using set = await setUp()
  const { postmark } = await createTransport(set.ours).sendMail(message)
  expect(postmark.tag).toBe('ours')
})

describe('a transporter of ours', () => {
  it('takes along the plugins that it has when another one is made of it', async () => {
    await using set = await setUp()
    set.ours.use('compile', (mail, done) => {
      mail.data.html = `<p>${mail.data.text}</p>`
      done()
    })
    await makeOuter(set.ours).sendMail(message)
    await makeOuter(makeOuter(set.ours)).sendMail(message)
    expect(set.server.mails.map((mail) => mail.raw.toString().match(/<p>Hello<\/p>/g)?.length)).toEqual([
      1, 1,
    ])
  })

  /** As libraries take their options: without the prototype, or in depth, inherited properties included. */
  const merge = (target: Record<string, unknown>, source: Record<string, unknown>): object => {
    for (const key in source) {
      const value = source[key]
      if (typeof value !== 'object' || value === null) target[key] = value
      else target[key] = merge(Array.isArray(value) ? ([] as never) : {}, value as Record<string, unknown>)
    }
    return target
  }
  const copies: readonly (readonly [string, (transporter: object) => object])[] = [
    ['a spread', (given) => ({ ...given })],
    ['a deep merge', (given) => merge({ host: 'localhost', port: 25 }, given as Record<string, unknown>)],
    [
      'a clone with its prototype',
      (given) => Object.assign(Object.create(Object.getPrototypeOf(given)), given),
    ],
    ['an object that inherits from it', (given) => Object.create(given)],
    ['a proxy', (given) => new Proxy(given, {})],
  ]

  it.each(copies)('sends with headers through %s', async (_name, copy) => {
    await using set = await setUp()
    const outer = makeOuter(copy(set.ours))
    await runWithPostmark({ metadata: { scope: '1' } }, () =>
      outer.sendMail({ ...message, postmark: { metadata: { id: '7' } } } as object),
    )
    expect(lines(set.server)).toEqual([
      'X-PM-Metadata-app: shop',
      'X-PM-Metadata-id: 7',
      'X-PM-Metadata-scope: 1',
      'X-PM-Tag: ours',
    ])
    expect(await outer.verify()).toBe(true)
  })

  it('gathers no listeners on a deep merge of which a transporter is made for each email', async () => {
    await using set = await setUp()
    const copy = merge({}, set.ours as never) as { on?: unknown; _events?: object }
    for (let index = 0; index < 3; index++) await makeOuter(copy).sendMail(message)
    expect(copy).not.toHaveProperty('on')
    expect(Object.keys(copy._events ?? {})).toEqual([])
  })

  it('warns that a copy of it has not its default fields', async () => {
    const warnings: string[] = []
    await using set = await setUp({
      message: { replyTo: 'r@example.com' },
      onWarning: ({ cure }: { cure: string }) => warnings.push(cure),
    })
    await makeOuter({ ...set.ours }).sendMail(message)
    expect(warnings).toEqual([expect.stringContaining('default fields and plugins do not apply')])
  })

  it('keeps a copy of it to its access flags', async () => {
    await using set = await setUp({ disableFileAccess: true })
    const sent = makeOuter({ ...set.ours }).sendMail({
      ...message,
      attachments: [{ path: import.meta.filename }],
    })
    await expect(sent).rejects.toMatchObject({ code: 'EFILEACCESS' })
    expect(set.server.mails).toEqual([])
  })

  it('fails an email of a copy that went through JSON, which holds no token', async () => {
    await using set = await setUp()
    const json = JSON.stringify({ transport: set.ours })
    expect(json).not.toContain(TOKEN)
    const { transport } = JSON.parse(json) as { transport: object }
    await expect(makeOuter(transport).sendMail(message)).rejects.toThrow('went through JSON')
    const attached = () => attachPostmark(makeOuter(transport))
    expect(attached).toThrow(expect.objectContaining({ code: 'ERR_POSTMARK_TRANSPORT' }))
  })

  it('cannot be given to structuredClone', async () => {
    await using set = await setUp()
    expect(() => structuredClone(set.ours)).toThrow('could not be cloned')
  })

  describe('a transporter of attachPostmark given to createTransport', () => {
    const attached = () =>
      attachPostmark(makeOuter({ host: '127.0.0.1', auth: { user: TOKEN, pass: TOKEN } }))
    const refused = {
      code: 'ERR_POSTMARK_TRANSPORT',
      message: expect.stringContaining('createPostmarkTransport'),
    }

    it('is refused at once', () => {
      expect(() => makeOuter(attached())).toThrow(expect.objectContaining(refused))
    })

    it.each(copies)('is refused as %s', async (_name, copy) => {
      const send = async () => makeOuter(copy(attached())).sendMail(message)
      await expect(send()).rejects.toMatchObject(refused)
    })

    it('fails an email of a copy that went through JSON, which holds no token', async () => {
      const json = JSON.stringify(attached())
      expect(json).not.toContain(TOKEN)
      await expect(makeOuter(JSON.parse(json)).sendMail(message)).rejects.toThrow('went through JSON')
    })
  })
})

describe('an email that reaches our transport without a compile step', () => {
  const makeForeign = (ours: PostmarkTransporter) =>
    makeOuter({
      name: 'foreign',
      version: '1',
      send: (mail: object, done: (error: Error | null, info: object) => void) => ours.send(mail, done),
    })

  it('gets one', async () => {
    await using set = await setUp()
    const info = await runWithPostmark({ metadata: { scope: '1' } }, () =>
      makeForeign(set.ours).sendMail({
        ...message,
        postmark: { metadata: { id: '7' } },
        headers: { 'X-PM-KeepID': 'true', 'X-Other': '1' },
      } as object),
    )
    expect(lines(set.server)).toEqual([
      'X-Other: 1',
      'X-PM-KeepID: true',
      'X-PM-Metadata-app: shop',
      'X-PM-Metadata-id: 7',
      'X-PM-Metadata-scope: 1',
      'X-PM-Tag: ours',
    ])
    expect(info).toMatchObject({ postmark: { tag: 'ours', keepId: true, attempts: 1 } })
  })

  it('gets one in front of a raw message', async () => {
    await using set = await setUp()
    await makeForeign(set.ours).sendMail({
      envelope: { from: 'a@example.com', to: 'b@example.com' },
      raw: 'From: a@example.com\r\nSubject: raw\r\n\r\nHello',
    })
    expect(lines(set.server)).toEqual(['X-PM-Metadata-app: shop', 'X-PM-Tag: ours'])
    expect(set.server.mails[0]!.header('Subject')).toBe('raw')
  })

  it('is refused by preflight as any other', async () => {
    await using set = await setUp()
    const sent = makeForeign(set.ours).sendMail({ ...message, postmark: { tag: ['a'] } } as object)
    await expect(sent).rejects.toMatchObject({ code: 'ERR_POSTMARK_PREFLIGHT', outcome: 'not-sent' })
    expect(set.server.mails).toEqual([])
  })

  it('is sent where close comes while a store is asked', async () => {
    await using set = await setUp({
      suppressions: { find: () => new Promise((resolve) => setTimeout(resolve, 50, [])) },
    })
    const sent = makeForeign(set.ours).sendMail(message)
    await set.ours.close()
    expect(await sent).toMatchObject({ accepted: ['b@example.com'] })
  })
})
