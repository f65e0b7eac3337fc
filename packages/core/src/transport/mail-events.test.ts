import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { type SmtpServerOptions, startSmtpServer } from '@postmark-smtp/testing'
import { describe, expect, it } from 'vitest'
import {
  type CreateEvent,
  createPostmarkTransport,
  createSuppressionList,
  type PostmarkTransporter,
  type PostmarkTransportOptions,
  runWithPostmark,
  type SendEvent,
} from '../index.js'
import { routeStates } from '../internal.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const message = { from: 'a@example.com', to: 'b@example.com', subject: 'Hello', text: 'Hello' }
const envelope = { from: 'a@example.com', to: 'b@example.com' }
const isLocal = ({ host }: { host: string }) => host === '127.0.0.1'
const START = 'tracing:postmark-smtp:send:start'
const END = 'tracing:postmark-smtp:send:asyncEnd'

async function setUp(options: object = {}, serverOptions: SmtpServerOptions = {}) {
  const server = await startSmtpServer({ auth: [{ user: TOKEN, pass: TOKEN }], ...serverOptions })
  const { host, port, ca } = server
  const base = { serverToken: TOKEN, host, ports: [port], tls: { ca }, retry: { baseMs: 1 } }
  const transporter = createPostmarkTransport({
    ...base,
    onWarning: () => {},
    ...options,
  } as PostmarkTransportOptions)
  const end = async () => {
    await transporter.close({ deadlineMs: 1 })
    await server.close()
  }
  return { server, transporter, [Symbol.asyncDispose]: end }
}

/** Sends an email whose body goes on until it is released. */
function hold(transporter: PostmarkTransporter) {
  const text = new Readable({ read() {} })
  return { sent: transporter.sendMail({ ...message, text }), release: () => void text.push(null) }
}

/** Listens to channels until it is disposed of. */
function listen(listeners: Readonly<Record<string, (event: never) => void>>): Disposable {
  const entries = Object.entries(listeners) as [string, (event: unknown) => void][]
  for (const [name, listener] of entries) subscribe(name, listener)
  return {
    [Symbol.dispose]() {
      for (const [name, listener] of entries) unsubscribe(name, listener)
    },
  }
}

/** Notes the events of each email by its ID. */
function note(): Disposable & { readonly told: [number, string, SendEvent?][] } {
  const told: [number, string, SendEvent?][] = []
  const listening = listen({
    'postmark-smtp:create': ({ id, stream }: CreateEvent) => told.push([id, `create ${stream}`]),
    [START]: (event: SendEvent) => told.push([event.id, `start ${event.stream}`, event]),
    [END]: (event: SendEvent) => told.push([event.id, `end ${event.outcome}`, event]),
  })
  return { told, [Symbol.dispose]: () => listening[Symbol.dispose]() }
}

describe('postmark-smtp:create', () => {
  it('is published in the context of sendMail, before anything is waited for', async () => {
    const requests = new AsyncLocalStorage<number>()
    const found: [number, number | undefined][] = []
    const ends: typeof found = []
    await using set = await setUp({ suppressions: createSuppressionList() })
    using _listening = listen({
      'postmark-smtp:create': ({ id }: CreateEvent) => void found.push([id, requests.getStore()]),
      [END]: ({ id }: SendEvent) => void ends.push([id, requests.getStore()]),
    })
    const mails = [1, 2, 3].map((request) =>
      requests.run(request, () => {
        const sent = set.transporter.sendMail(message)
        expect(found.at(-1)?.[1]).toBe(request)
        return sent
      }),
    )
    await Promise.all(mails)
    expect(new Set(found.map(([id]) => id)).size).toBe(3)
    // The end is told there, too: a log line has the request of its email.
    expect(ends.sort()).toEqual(found.sort())
  })

  it.each<[string, object, string]>([
    ['an explicit header', { headers: { 'X-PM-Message-Stream': 'named' } }, 'named'],
    ['the message', { postmark: { messageStream: 'named' } }, 'named'],
    ['the scope', {}, 'scoped'],
    ['nobody, where the message clears it', { postmark: { messageStream: null } }, 'outbound'],
  ])('names the stream that comes from %s', async (_from, more, stream) => {
    await using set = await setUp({ messageStream: 'fallback' })
    using noted = note()
    const mail = { ...message, ...more }
    await runWithPostmark({ messageStream: 'scoped' }, () => set.transporter.sendMail(mail))
    const told = noted.told.map(([, what]) => what)
    expect(told.map((what) => what.split(' ')[1])).toEqual([stream, stream, 'sent'])
  })

  it('names no text that is no stream', async () => {
    await using set = await setUp()
    using noted = note()
    const mail = { ...message, postmark: { messageStream: 'ann@example.com' } }
    await expect(set.transporter.sendMail(mail)).rejects.toThrow('messageStream')
    expect(noted.told.map(([, what]) => what)).toEqual(['create outbound', 'start outbound', 'end not-sent'])
  })

  it('can add metadata, which yields to a key of the caller’s, in any case, and to the first that adds it', async () => {
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await using set = await setUp()
    const add = (value: string) => ({
      'postmark-smtp:create': (event: CreateEvent) => event.addMetadata('traceparent', value),
    })
    using _first = listen(add(trace))
    using _second = listen(add('second'))
    await set.transporter.sendMail(message)
    const own = { ...message, postmark: { metadata: { TraceParent: 'mine' } } }
    await set.transporter.sendMail(own)
    const lines = set.server.mails.map(({ headerLines }) =>
      headerLines.filter((line) => /metadata/i.test(line)),
    )
    expect(lines).toEqual([[`X-PM-Metadata-traceparent: ${trace}`], ['X-PM-Metadata-TraceParent: mine']])
    expect(own.postmark.metadata).toEqual({ TraceParent: 'mine' })
  })

  it('adds nothing to an email that has ten keys, which goes out with a warning', async () => {
    const metadata = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`k${index}`, 'v']))
    const warnings: string[] = []
    await using set = await setUp({ onWarning: ({ path }: { path: string }) => warnings.push(path) })
    using _listening = listen({
      'postmark-smtp:create': (event: CreateEvent) => event.addMetadata('traceparent', 'x'),
    })
    await set.transporter.sendMail({ ...message, postmark: { metadata } })
    expect(set.server.mails[0]!.headers.filter(({ name }) => /metadata/i.test(name))).toHaveLength(10)
    expect(warnings).toEqual(['defaults.metadata.traceparent'])
  })
})

describe('an email that was announced has one start and one end under its number', () => {
  const suppressed = createSuppressionList()
  suppressed.add({ address: 'b@example.com', stream: 'outbound', reason: 'HardBounce' })
  const ended = ['create outbound', 'start outbound', 'end not-sent']
  it.each<[string, object, object, string[]]>([
    ['is sent', {}, message, ['create outbound', 'start outbound', 'end sent']],
    ['is refused by preflight', {}, { ...message, subject: 'x'.repeat(3000) }, ended],
    [
      'names the stream of another token',
      { serverToken: undefined, smtpToken: { accessKey: 'PM-T-outbound-abc', secretKey: 'def' } },
      { ...message, postmark: { messageStream: 'other' } },
      ['create other', 'start other', 'end not-sent'],
    ],
    [
      'has only suppressed recipients, and is passed over',
      { suppressed: 'skip', suppressions: suppressed },
      message,
      ended,
    ],
  ])('where it %s', async (_case, options, mail, expected) => {
    await using set = await setUp(options)
    using noted = note()
    await set.transporter.sendMail(mail).catch(() => {})
    expect(noted.told.map(([, what]) => what)).toEqual(expected)
    expect(new Set(noted.told.map(([id]) => id)).size).toBe(1)
  })

  it('where it finds the queue full', async () => {
    await using set = await setUp({ pool: { maxConnections: 1, maxQueued: 1 } })
    const held = hold(set.transporter)
    while (routeStates().filter(isLocal).at(-1)?.busy !== 1) await turn()
    const ahead = set.transporter.sendMail(message)
    await turn()
    const queued = set.transporter.sendMail(message)
    using noted = note()
    await expect(set.transporter.sendMail(message)).rejects.toThrow('queue')
    expect(noted.told.map(([, what]) => what)).toEqual(ended)
    held.release()
    await Promise.all([held.sent, ahead, queued])
  })

  it('where the transporter is closed, or closes over it', async () => {
    await using set = await setUp()
    using noted = note()
    const raw = new Readable({ read() {} })
    const waiting = set.transporter.sendMail({ envelope, raw })
    waiting.catch(() => {})
    await turn()
    await set.transporter.close({ deadlineMs: 1 })
    await expect(waiting).rejects.toThrow()
    await expect(set.transporter.sendMail(message)).rejects.toThrow('closed')
    const ends = noted.told.filter(([, what]) => what.startsWith('end')).map(([id, what]) => [id, what])
    expect(ends).toEqual([
      [noted.told[0]![0], 'end not-sent'],
      [expect.any(Number), 'end not-sent'],
    ])
  })
})

describe('the end of a send', () => {
  it('names what preflight refused, without its values', async () => {
    await using set = await setUp()
    using noted = note()
    const attachments = [{ filename: 'ann@example.com.exe', content: 'x' }]
    await set.transporter.sendMail({ ...message, subject: 'x'.repeat(3000), attachments }).catch(() => {})
    const event = noted.told.at(-1)![2]!
    expect(event).toMatchObject({
      paths: expect.arrayContaining(['subject', 'attachments[0].filename']),
      code: 'ERR_POSTMARK_PREFLIGHT',
    })
    expect(JSON.stringify(event)).not.toContain('example.com')
  })

  it('has the opening of the connection where the email was the first that it carried', async () => {
    await using set = await setUp({ correlationId: true })
    using noted = note()
    const before = Date.now()
    const { postmark } = await set.transporter.sendMail(message)
    await set.transporter.sendMail(message)
    const [first, second] = noted.told.filter(([, what]) => what === 'end sent').map(([, , event]) => event!)
    expect(first!.opening!.startedAt).toBeGreaterThan(before - 1000)
    expect(first!.opening!.connectMs).toBeGreaterThan(0)
    expect(first!.opening!.loginMs).toBeGreaterThan(0)
    expect(second!.opening).toBeUndefined()
    expect(first!.correlationId).toBe(postmark.correlationId)
  })
})

describe('no event holds what is not known to be harmless', () => {
  const secret = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11 of ann@example.com'
  const odd = { code: secret, responseCode: secret, outcome: secret, problems: [secret, null] }

  it.each<[string, object, object]>([
    ['fails with anything in its fields', odd, { outcome: 'not-sent', code: undefined, paths: undefined }],
    ['fails with a code', { ...odd, code: 'P2002' }, { outcome: 'not-sent', code: 'P2002' }],
  ])('where a plugin %s', async (_how, fields, expected) => {
    await using set = await setUp()
    using noted = note()
    set.transporter.use('compile', (_mail, done) => done(Object.assign(new Error(secret), fields)))
    await expect(set.transporter.sendMail(message)).rejects.toThrow()
    const event = noted.told.at(-1)![2]! as SendEvent & { readonly error: Error }
    expect({ code: undefined, paths: undefined, ...event }).toMatchObject(expected)
    expect(JSON.stringify([event, event.error, event.error.message])).not.toMatch(/example|6f1c2b1e/)
  })

  it.each([
    ['a field that there is none of', { postmark: { 'ann@example.com': 'x' } }],
    ['a key of metadata', { postmark: { metadata: { 'ann@example.com': 'x'.repeat(100) } } }],
    ['a value in the wrong place', { postmark: { trackLinks: 'ann@example.com' } }],
  ])('where an address is %s', async (_where, more) => {
    const told: object[] = []
    using _listening = listen({
      'postmark-smtp:warning': (warning) => void told.push(warning),
      [END]: (event) => void told.push(event),
    })
    for (const preflight of ['throw', 'warn']) {
      await using set = await setUp({ preflight })
      await set.transporter.sendMail({ ...message, ...more } as never).catch(() => {})
    }
    expect(told.length).toBeGreaterThan(1)
    expect(JSON.stringify(told)).not.toContain('@')
  })

  it('where a retry has a code that is none', async () => {
    const told: object[] = []
    using _listening = listen({ 'postmark-smtp:retry': (event) => void told.push(event) })
    const { publishRetry } = await import('../problems/diagnostics.js')
    const event = { id: 1, stream: 'outbound', tag: undefined, attempt: 1 } as SendEvent
    publishRetry(event, { code: secret, phase: 'queue', outcome: 'not-sent' }, 10)
    expect(told).toEqual([expect.objectContaining({ id: 1, code: undefined })])
  })
})

it('a duration begins when sendMail is called, whatever is asked before the email is handed over', async () => {
  let waitedMs = Number.POSITIVE_INFINITY
  let calledAt = 0
  const suppressions = {
    find: async () => {
      await turn()
      waitedMs = performance.now() - calledAt
      return []
    },
  }
  await using set = await setUp({ suppressions })
  using noted = note()
  const send = (more: object) => {
    calledAt = performance.now()
    return set.transporter.sendMail({ ...message, ...more })
  }
  await send({})
  expect(noted.told.at(-1)![2]!.durationMs).toBeGreaterThanOrEqual(waitedMs)
  await expect(send({ headers: { 'X-PM-Tag': 'x'.repeat(2000) } })).rejects.toThrow()
  expect(noted.told.at(-1)![2]!.durationMs).toBeGreaterThan(0)
})

it('the create event names the server of the stream', async () => {
  const hosts: string[] = []
  await using set = await setUp()
  using _listening = listen({ 'postmark-smtp:create': ({ host }: CreateEvent) => void hosts.push(host) })
  await set.transporter.sendMail(message)
  expect(hosts).toEqual(['127.0.0.1'])
})

describe('routeStates', () => {
  it('counts the emails that wait and the connections, and forgets a route that has neither', async () => {
    await using set = await setUp({ pool: { maxConnections: 2 } })
    const before = routeStates().filter(isLocal).length
    const held = [hold(set.transporter), hold(set.transporter)]
    const mine = () => routeStates().filter(isLocal).at(-1)
    while (mine()?.busy !== 2) await turn()
    const mails = Array.from({ length: 7 }, () => set.transporter.sendMail(message))
    // Each connection has one that is composed ahead.
    expect(mine()).toEqual({ host: '127.0.0.1', queued: 5, opening: 0, idle: 0, busy: 2 })
    for (const { release } of held) release()
    await Promise.all(held.map(({ sent }) => sent))
    await Promise.all(mails)
    await turn()
    expect(mine()).toEqual({ host: '127.0.0.1', queued: 0, opening: 0, idle: 2, busy: 0 })
    await set.transporter.close()
    expect(routeStates().filter(isLocal)).toHaveLength(before)
  })
})

it('two copies of core count their emails together', async () => {
  const here = await import('./send-event.js')
  const other: typeof here = await import('./send-event.js?copy=2' as './send-event.js')
  const ids = [here.nextMailId(), other.nextMailId(), here.nextMailId()]
  expect(ids).toEqual([ids[0]!, ids[0]! + 1, ids[0]! + 2])
})
