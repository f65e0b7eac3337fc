import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { currentPostmark, isPostmarkError, runWithPostmark } from '@postmark-smtp/core'
import { afterEach, describe, expect, expectTypeOf, it, vi } from 'vitest'
import {
  createMemoryDedupe,
  createWebhookHandler,
  type DedupeStore,
  type NodeRequest,
  type RejectedEvent,
  toNodeListener,
  type WebhookEvent,
  type WebhookHandlerOptions,
} from './index.js'

const SECRET = 'handler-7f3b1c9d5e'
const auth = { basic: { username: 'postmark', password: SECRET } }
const authorization = `Basic ${btoa(`postmark:${SECRET}`)}`
const delivery = {
  RecordType: 'Delivery',
  MessageID: '1d0c6e3a-0b7e-4a41-9c53-2f6b8d1e7a90',
  Recipient: 'ann@example.com',
  DeliveredAt: '2026-02-03T04:05:06.7891234Z',
}
const rejection = { ...delivery, RecordType: 'Bounce', Type: 'SMTPApiError', Details: 'ErrorCode: 406' }

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A server with a handler, and all that it told. */
async function serve(
  options: Partial<WebhookHandlerOptions> = {},
  parse?: (req: NodeRequest) => Promise<void>,
) {
  const events: WebhookEvent[] = []
  const errors: unknown[] = []
  const listener = toNodeListener(
    createWebhookHandler({
      auth,
      on: { any: (event) => events.push(event) },
      onError: (error) => errors.push(error),
      ...options,
    }),
  )
  const server = createServer(async (req, res) => {
    await parse?.(req)
    await listener(req, res)
  }).listen(0, '127.0.0.1')
  closing.push(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/`
  const post = async (body: unknown = delivery, headers: Record<string, string> = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const response = await fetch(url, { method: 'POST', headers: { authorization, ...headers }, body: text })
    return { status: response.status, text: await response.text(), headers: response.headers }
  }
  return { port, url, post, events, errors }
}
function createSignal() {
  let give = () => {}
  const given = new Promise<void>((resolve) => {
    give = resolve
  })
  return { given, give }
}
const trace = (id: string) => ({ 'x-pm-webhook-trace-id': id })

describe('a post is answered', () => {
  it.each<[string, unknown, string]>([
    ['an event', delivery, 'delivered'],
    ['a type to come', { RecordType: 'Snooze' }, 'unknown'],
    [
      'dummy data',
      { ...delivery, MessageID: '00000000-0000-0000-0000-000000000000', Metadata: { example: 'value' } },
      'delivered',
    ],
    ['an empty object', {}, 'unknown'],
  ])('with 200 where it is %s', async (_title, body, kind) => {
    const { post, events } = await serve()
    expect((await post(body)).status).toBe(200)
    expect(events.map((event) => event.kind)).toEqual([kind])
  })

  it.each<[string, number, string | object, object]>([
    ['cut short', 400, '{"RecordType":"Deli', {}],
    ['no JSON', 400, 'RecordType=Delivery', {}],
    ['empty', 400, '', {}],
    ['a list', 400, '[{}]', {}],
    ['nested too deep', 400, `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`, {}],
    ['nested deeper than limits.maxDepth', 400, { a: { b: 1 } }, { limits: { maxDepth: 1 } }],
    ['larger than limits.maxBytes', 413, { a: 'x'.repeat(1000) }, { limits: { maxBytes: 1000 } }],
  ])('where it is %s, with %s', async (_title, status, body, options) => {
    const { post, events } = await serve(options)
    expect((await post(body)).status).toBe(status)
    expect(events).toEqual([])
  })

  it('with 200 where it is nested as deep and as large as may be', async () => {
    const body = `${'{"a":'.repeat(31)}{"b":"]]]]{{{{\\"[["}${'}'.repeat(31)}`
    const { post, events } = await serve({ limits: { maxBytes: body.length } })
    expect((await post(body)).status).toBe(200)
    expect(events).toHaveLength(1)
  })

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])(
    'with 405 where it is a %s',
    async (method) => {
      const { port } = await serve()
      const request = httpRequest({ port, method, headers: { authorization } }).end()
      const [response] = await once(request, 'response')
      response.resume()
      expect(response.statusCode).toBe(405)
      expect(response.headers.allow).toBe('POST')
    },
  )

  it('with 401 and the scheme where the credentials are wrong, and no handler runs', async () => {
    const { post, events } = await serve()
    const { status, headers } = await post(delivery, { authorization: 'Basic eDp5' })
    expect(status).toBe(401)
    expect(headers.get('www-authenticate')).toMatch(/^Basic /)
    expect(events).toEqual([])
  })

  it('with 503 where the secret is right and the address is not, and onError is told', async () => {
    const { post, events, errors } = await serve({ auth: { ...auth, ips: { allow: ['192.0.2.1'] } } })
    expect((await post()).status).toBe(503)
    expect(events).toEqual([])
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_POSTMARK_WEBHOOK' })])
    const here = await serve({ auth: { ...auth, ips: { allow: ['127.0.0.1'] } } })
    expect((await here.post()).status).toBe(200)
  })

  it.each<[string, object, Record<string, string>, string | undefined, string]>([
    ['the connection', {}, {}, '198.51.100.7', '198.51.100.7'],
    ['the connection, over IPv6', {}, {}, '2001:db8::9', '2001:db8::9'],
    [
      'a proxy in front',
      { trustProxies: 1 },
      { 'x-forwarded-for': '203.0.113.5' },
      '10.0.0.1',
      '203.0.113.5',
    ],
    ['nobody', {}, {}, undefined, 'an unknown address'],
    ['fewer proxies than there should be', { trustProxies: 2 }, {}, '10.0.0.1', 'an unknown address'],
    [
      'what is no address',
      { trustProxies: 1 },
      { 'x-forwarded-for': `a"${'b'.repeat(200)}` },
      '10.0.0.1',
      `"a\\"${'b'.repeat(58)}"`,
    ],
  ])('with 503 and the address that came from %s', async (_what, rule, headers, remoteAddress, address) => {
    const errors: unknown[] = []
    const handle = createWebhookHandler({
      auth: { ...auth, ips: { allow: ['192.0.2.1'], ...rule } },
      on: {},
      onError: (error) => errors.push(error),
    })
    const init = { method: 'POST', headers: { authorization, ...headers }, body: '{}' }
    const response = await handle(new Request('http://localhost', init), { remoteAddress })
    expect([response.status, await response.text()]).toEqual([
      503,
      `Not from an address in auth.ips: ${address}`,
    ])
    expect(errors).toEqual([
      expect.objectContaining({
        message: expect.stringContaining(`came from ${address}, which is not in auth.ips.`),
      }),
    ])
  })

  it.each([
    [401, ''],
    [413, `Authorization: ${authorization}\r\n`],
  ])('with %s before a large body has come', async (status, header) => {
    const { port } = await serve()
    const socket = connect(port, '127.0.0.1')
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${header}Content-Length: 1000000000\r\n\r\n{`)
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(`HTTP/1.1 ${status}`)
    socket.destroy()
  })

  it('with 413 where a body that names no length grows too large', async () => {
    const { port } = await serve({ limits: { maxBytes: 100_000 } })
    const socket = connect(port, '127.0.0.1')
    const head = `POST / HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nTransfer-Encoding: chunked\r\n\r\n`
    socket.write(`${head}fffff\r\n${'x'.repeat(200_000)}`)
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch('HTTP/1.1 413')
    socket.destroy()
  })

  it('with nothing where the client hangs up half-way, and the server goes on', async () => {
    const { port, post, errors } = await serve()
    const socket = connect(port, '127.0.0.1')
    const head = `POST / HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Length: 1000\r\n\r\n{`
    socket.end(head)
    await once(socket.resume(), 'close')
    await vi.waitFor(() => expect(errors).toHaveLength(1))
    expect((await post()).status).toBe(200)
  })

  it('on one connection after the other, also behind a refusal', async () => {
    const { post, events } = await serve({ limits: { maxBytes: 200_000 } })
    const large = { a: 'x'.repeat(300_000) }
    expect((await post(large)).status).toBe(413)
    expect((await post(large, { authorization: 'none' })).status).toBe(401)
    expect((await post()).status).toBe(200)
    expect(events).toHaveLength(1)
  })
})

describe('a body that a parser in front has read', () => {
  const read = async (req: NodeRequest) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk)
    return Buffer.concat(chunks)
  }
  const set = (req: NodeRequest, body: unknown) => Object.assign(req, { body })
  it.each<[string, (req: NodeRequest) => Promise<unknown>, number]>([
    ['is taken as an object', async (req) => set(req, JSON.parse(String(await read(req)))), 200],
    ['is taken as a text', async (req) => set(req, String(await read(req))), 200],
    ['is taken as bytes', async (req) => set(req, await read(req)), 200],
    ['is read where the parser left it alone and put {} in its place', async (req) => set(req, {}), 200],
    ['is refused where it is a list', async (req) => set(req, [await read(req)]), 400],
    ['is asked for again where it is nowhere', async (req) => void (await read(req)), 500],
  ])('%s', async (_title, parse, status) => {
    const { post, events, errors } = await serve({}, async (req) => void (await parse(req)))
    expect((await post()).status).toBe(status)
    expect(events.map(({ recipient }) => recipient)).toEqual(status === 200 ? ['ann@example.com'] : [])
    expect(errors.map(isPostmarkError)).toEqual(status === 500 ? [true] : [])
  })

  it('is held to the limits', async () => {
    const handle = createWebhookHandler({ auth, on: {}, limits: { maxBytes: 100, maxDepth: 2 } })
    const status = async (body: unknown) =>
      (
        await handle(new Request('http://localhost', { method: 'POST', headers: { authorization } }), {
          body,
        })
      ).status
    expect(await status({ a: { b: 1 } })).toBe(200)
    expect(await status({ a: { b: [] } })).toBe(400)
    expect(await status(`{"a":"${'ä'.repeat(50)}"}`)).toBe(413)
    expect(await status(Buffer.alloc(101, 32))).toBe(413)
  })
})

describe('handlers', () => {
  it('get the events of their kind, typed, and `any` gets all, behind them', async () => {
    const calls: string[] = []
    const { post } = await serve({
      on: {
        rejected: (event) => {
          expectTypeOf(event).toEqualTypeOf<RejectedEvent>()
          calls.push(`rejected ${event.errorCode}`)
        },
        any: ({ kind }) => void calls.push(`any ${kind}`),
      },
    })
    await post(rejection)
    await post(delivery)
    expect(calls).toEqual(['rejected 406', 'any rejected', 'any delivered'])
  })

  it('run in a clean scope, with the correlation ID of the event alone', async () => {
    const scopes: unknown[] = []
    const handle = createWebhookHandler({
      auth,
      correlationKey: 'request',
      on: { any: () => void scopes.push(currentPostmark()) },
    })
    const post = (Metadata: object) =>
      runWithPostmark({ tag: 'outer', messageStream: 'broadcast' }, () =>
        handle(new Request('http://localhost', { method: 'POST', headers: { authorization } }), {
          body: {
            ...rejection,
            Email: JSON.stringify(Metadata),
            Tag: 'news',
            MessageStream: 'broadcast',
            Metadata,
          },
        }),
      )
    await post({ request: 'c-1', user: 'u-1' })
    await post({ user: 'u-2' })
    expect(scopes).toEqual([{ metadata: { request: 'c-1' } }, {}])
  })

  it('that fail, at once or later, make Postmark post again, and then are asked again', async () => {
    for (const fail of [
      () => {
        throw new Error('at once')
      },
      () => Promise.reject(new Error('later')),
    ]) {
      let calls = 0
      const told: unknown[] = []
      const { post } = await serve({
        on: { delivered: () => (++calls === 1 ? fail() : undefined) },
        onError: (error, event) => void told.push([(error as Error).message, event?.kind]),
      })
      expect((await post(delivery, trace('t-1'))).status).toBe(500)
      expect((await post(delivery, trace('t-1'))).status).toBe(200)
      expect((await post(delivery, trace('t-1'))).status).toBe(200)
      expect(calls).toBe(2)
      expect(told).toEqual([[expect.stringMatching(/at once|later/), 'delivered']])
    }
  })

  it('that are slow do not hold up others', async () => {
    const slow = createSignal()
    const { post } = await serve({ on: { bounced: () => slow.given, delivered: () => {} } })
    const first = post({ ...delivery, RecordType: 'Bounce', Type: 'SoftBounce' })
    const others = await Promise.all(Array.from({ length: 50 }, (_, n) => post(delivery, trace(`t-${n}`))))
    expect(new Set(others.map(({ status }) => status))).toEqual(new Set([200]))
    slow.give()
    expect((await first).status).toBe(200)
  })

  it('change nothing by what onError throws', async () => {
    const { post } = await serve({
      on: { any: () => Promise.reject(new Error('no')) },
      onError: () => Promise.reject(new Error('nor here')),
    })
    expect((await post()).status).toBe(500)
  })

  it('that fail without an onError are told by a warning of the process', async () => {
    const handle = createWebhookHandler({ auth, on: { any: () => Promise.reject(new Error('told')) } })
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const request = new Request('http://localhost', {
      method: 'POST',
      headers: { authorization },
      body: '{}',
    })
    expect((await handle(request)).status).toBe(500)
    expect(warned.mock.calls).toEqual([[expect.objectContaining({ message: 'told' })]])
    warned.mockRestore()
  })
})

describe('duplicates', () => {
  it('are handled once, by their trace ID', async () => {
    const { post, events } = await serve()
    for (const id of ['a', 'a', 'b', 'a']) expect((await post(delivery, trace(id))).status).toBe(200)
    expect(events).toHaveLength(2)
  })

  it.each<[string, object]>([
    ['the time', { DeliveredAt: '2026-02-03T04:05:06.7891235Z' }],
    ['the address', { Recipient: 'bob@example.com' }],
    ['the email', { MessageID: '2d0c6e3a-0b7e-4a41-9c53-2f6b8d1e7a90' }],
    ['the type', { RecordType: 'Later' }],
  ])('are told without a trace ID, from events that differ in %s alone', async (_title, change) => {
    const { post, events } = await serve()
    await post(delivery)
    await post(delivery)
    expect(events).toHaveLength(1)
    await post({ ...delivery, ...change })
    expect(events).toHaveLength(2)
  })

  it('are not seen where nothing tells events apart, or where they are test posts', async () => {
    const { post, events } = await serve()
    for (const body of [
      {},
      {},
      { ...delivery, MessageID: '00000000-0000-0000-0000-000000000000' },
      { ...delivery, MessageID: '00000000-0000-0000-0000-000000000000' },
    ])
      await post(body)
    expect(events).toHaveLength(4)
  })

  it('are handled each where dedupe is off', async () => {
    const { post, events } = await serve({ dedupe: false })
    await post()
    await post()
    expect(events).toHaveLength(2)
  })

  it('that come while the first is being handled are put off, and lost by nobody if that fails', async () => {
    const first = createSignal()
    const started = createSignal()
    let calls = 0
    const { post } = await serve({
      on: {
        any: async () => {
          calls += 1
          if (calls > 1) return
          started.give()
          await first.given
          throw new Error('no')
        },
      },
    })
    const failing = post(delivery, trace('t'))
    await started.given
    expect((await post(delivery, trace('t'))).status).toBe(503)
    first.give()
    expect((await failing).status).toBe(500)
    expect((await post(delivery, trace('t'))).status).toBe(200)
    expect(calls).toBe(2)
  })

  it('that come 50 at once are handled once', async () => {
    const { post, events } = await serve()
    const posts = Array.from({ length: 50 }, () => post(delivery, trace('t')))
    const statuses = (await Promise.all(posts)).map(({ status }) => status)
    expect(events).toHaveLength(1)
    expect(statuses).toContain(200)
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([])
  })

  it.each<[string, Partial<DedupeStore>]>([
    [
      'throws',
      {
        claim: () => {
          throw new Error('down')
        },
      },
    ],
    [
      'rejects',
      {
        claim: async () => {
          throw new Error('down')
        },
      },
    ],
    [
      'rejects when it shall confirm',
      {
        confirm: async () => {
          throw new Error('down')
        },
      },
    ],
  ])('cost no event where the store %s, and onError is told', async (_title, broken) => {
    const { post, events, errors } = await serve({ dedupe: { ...createMemoryDedupe(), ...broken } })
    expect((await post()).status).toBe(200)
    expect(events).toHaveLength(1)
    expect(errors).toEqual([expect.objectContaining({ message: 'down' })])
  })

  it('cost no event where the store hangs', async () => {
    const hangs = () => new Promise<never>(() => {})
    const { post, events, errors } = await serve({ dedupe: { claim: hangs, confirm: hangs, release: hangs } })
    expect((await post()).status).toBe(200)
    expect(events).toHaveLength(1)
    expect(String(errors[0])).toContain('did not answer within 2000 ms')
  })

  it('and their addresses are not told to the store', async () => {
    const keys: string[] = []
    const memory = createMemoryDedupe()
    const claim: DedupeStore['claim'] = (key, leaseMs) => {
      keys.push(key)
      return memory.claim(key, leaseMs)
    }
    const { post } = await serve({ dedupe: { ...memory, claim } })
    await post(delivery)
    await post(delivery, trace('ann@example.com'.repeat(100)))
    expect(keys).toEqual([expect.stringMatching(/^[\w-]{43}$/), expect.stringMatching(/^[\w-]{43}$/)])
  })
})

describe('createMemoryDedupe', () => {
  afterEach(() => vi.useRealTimers())

  it('forgets a claim and a handled event when their time is over', () => {
    vi.useFakeTimers()
    const store = createMemoryDedupe()
    expect(store.claim('a', 1000)).toBe('new')
    vi.advanceTimersByTime(999)
    expect(store.claim('a', 1000)).toBe('busy')
    vi.advanceTimersByTime(1)
    expect(store.claim('a', 1000)).toBe('new')
    store.confirm('a', 5000)
    vi.advanceTimersByTime(4999)
    expect(store.claim('a', 1000)).toBe('done')
    vi.advanceTimersByTime(1)
    expect(store.claim('a', 1000)).toBe('new')
  })

  it('keeps maxKeys of them, the newest', () => {
    const store = createMemoryDedupe({ maxKeys: 2 })
    for (const key of ['a', 'b', 'a', 'c']) store.confirm(key, 1000)
    expect(store.claim('a', 1000)).toBe('done')
    expect(store.claim('c', 1000)).toBe('done')
    expect(store.claim('b', 1000)).toBe('new')
  })
})

describe('a secret is rotated', () => {
  it('without a lost event: both are taken while Postmark is told', async () => {
    const next = 'handler-next-2c4e6a8b'
    const both = { basic: [auth.basic, { username: 'postmark', password: next }] }
    const { post, events } = await serve({ auth: both })
    const of = (password: string) => ({ authorization: `Basic ${btoa(`postmark:${password}`)}` })
    const posts = Array.from({ length: 20 }, (_, n) =>
      post(delivery, { ...of(n < 10 ? SECRET : next), ...trace(`t-${n}`) }),
    )
    expect((await Promise.all(posts)).map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect(events).toHaveLength(20)
    const after = await serve({ auth: { basic: { username: 'postmark', password: next } } })
    expect((await after.post(delivery, of(next))).status).toBe(200)
    expect((await after.post(delivery, of(SECRET))).status).toBe(401)
  })
})

describe('options that are wrong stop the application', () => {
  it.each<[string, object, string]>([
    ['no handlers', { on: undefined }, 'Option on is'],
    ['a kind that there is not', { on: { bounce: () => {} } }, 'Did you mean "bounced"?'],
    ['a handler that is none', { on: { bounced: 'log' } }, 'Option on.bounced'],
    ['an unknown option', { on: {}, onErrors: () => {} }, 'Did you mean "onError"?'],
    [
      'a store without release',
      { on: {}, dedupe: { claim: () => 'new', confirm: () => {} } },
      'claim, confirm and release',
    ],
    ['handlers as a list', { on: [() => {}] }, 'Option on is an array'],
    ['a limit that is a number', { on: {}, limits: 5 }, 'Option limits is 5'],
    ['a limit of nothing', { on: {}, limits: { maxBytes: 0 } }, 'limits.maxBytes'],
    ['a limit that is none', { on: {}, limits: { maxdepth: 5 } }, 'Did you mean "maxDepth"?'],
    ['an onError that is none', { on: {}, onError: 'log' }, 'onError'],
    ['an empty key', { on: {}, correlationKey: '' }, 'correlationKey'],
  ])('%s', (_title, options, message) => {
    const create = () => createWebhookHandler({ auth, ...options } as WebhookHandlerOptions)
    expect(create).toThrow(expect.objectContaining({ code: 'ERR_POSTMARK_OPTIONS' }))
    expect(create).toThrow(message)
  })

  it.each([0, -1, 1.5, Number.NaN, '5'])('maxKeys: %j', (maxKeys) => {
    expect(() => createMemoryDedupe({ maxKeys: maxKeys as number })).toThrow('maxKeys')
  })
})
