import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ServerClient } from 'postmark'
import { describe, expect, it } from 'vitest'
import { type ReconcileOptions, reconcile, type WebhookEvent, watch } from './index.js'

declare global {
  /** The types of `postmark` take it from a browser's. */
  type RequestInfo = string | URL | Request
}

const TOKEN = 'd3b1f0c2-0000-4000-8000-9c3a5e7f1b2d'

interface Bounce {
  readonly ID: number
  readonly Type: string
  readonly Email: string
  readonly MessageStream: string
  readonly BouncedAt: string
  readonly Details: string
  readonly DumpAvailable: boolean
}

/** How a server may read an Eastern time that names two instants, or compare without any zone. */
type Clock = 'first' | 'second' | 'wall'

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

const wallFormat = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'America/New_York',
  dateStyle: 'short',
  timeStyle: 'medium',
})
const toWall = (ms: number) => wallFormat.format(ms).replace(' ', 'T')

/** The instants that an Eastern time names. */
function toInstants(wall: string): number[] {
  return [4, 5].map((hours) => Date.parse(`${wall}Z`) + hours * 3_600_000).filter((ms) => toWall(ms) === wall)
}

/** `GET /bounces` with Postmark's own limits, over real HTTP. */
async function startPostmark(clock: Clock = 'first', mostCounted = Number.POSITIVE_INFINITY) {
  const bounces: { readonly bounce: Bounce; readonly ms: number; readonly wall: string }[] = []
  const requests: URLSearchParams[] = []
  const dumps = new Map<number, string | number>()
  const dumped: number[] = []
  const refusals: string[] = []
  /** Called before a request is answered; true: it has answered itself. */
  const hooks = {
    before: (_response: ServerResponse, _request: IncomingMessage): boolean | undefined => undefined,
  }
  let lastId = 700_000

  const add = (at: string | number, more: Partial<Bounce> = {}) => {
    const ms = new Date(at).getTime()
    lastId += 3
    const bounce: Bounce = {
      ID: lastId,
      Type: 'SMTPApiError',
      Email: `u${lastId}@example.com`,
      MessageStream: 'outbound',
      // Seven digits and an offset, as Postmark writes it.
      BouncedAt: `${new Date(ms - 4 * 3_600_000).toISOString().slice(0, 23)}1234-04:00`,
      Details: 'ErrorCode: 406',
      DumpAvailable: true,
      ...more,
    }
    bounces.push({ bounce, ms, wall: `${toWall(ms)}.${String(ms % 1000).padStart(3, '0')}` })
    return bounce
  }

  const refuse = (response: ServerResponse, text: string) => {
    refusals.push(text)
    send(response, 422, { ErrorCode: 600, Message: text })
  }
  const list = (query: URLSearchParams, response: ServerResponse) => {
    requests.push(query)
    const get = (name: string) => [...query].find(([key]) => key.toLowerCase() === name)?.[1]
    const [count, offset] = [get('count'), get('offset')].map((text) => Number(text ?? Number.NaN))
    if (!(count! >= 1 && count! <= 500 && offset! >= 0))
      return refuse(response, 'count and offset are required')
    if (count! + offset! > 10_000) return refuse(response, 'count and offset exceed 10,000')
    const dates = [get('fromdate'), get('todate')]
    if (dates.some((date) => date !== undefined && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(date)))
      return refuse(response, 'not a date')
    const [from, to] = dates.map((date) => {
      if (date === undefined || clock === 'wall') return date
      const instants = toInstants(date)
      return clock === 'first' ? Math.min(...instants) : Math.max(...instants)
    })
    const inside = (at: string | number) =>
      (from === undefined || at >= from) && (to === undefined || at <= to)
    const type = get('type')
    const found = bounces
      .filter(({ bounce }) => bounce.MessageStream === (get('messagestream') ?? 'outbound'))
      .filter(({ bounce }) => type === undefined || bounce.Type === type)
      .filter(({ ms, wall }) => inside(clock === 'wall' ? wall : ms))
      .sort(
        (a, b) => (clock === 'wall' ? compareText(b.wall, a.wall) : b.ms - a.ms) || b.bounce.ID - a.bounce.ID,
      )
    const page = found.slice(offset, offset! + count!).map(({ bounce }) => bounce)
    return send(response, 200, { TotalCount: Math.min(found.length, mostCounted), Bounces: page })
  }

  const server = createServer((request, response) => {
    if (hooks.before(response, request)) return
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
    const [, id] = /^\/bounces\/(\d+)\/dump$/.exec(pathname) ?? []
    if (request.headers['x-postmark-server-token'] !== TOKEN)
      send(response, 401, { ErrorCode: 10, Message: 'No' })
    else if (id) {
      dumped.push(Number(id))
      const dump = dumps.get(Number(id)) ?? ''
      send(response, typeof dump === 'number' ? dump : 200, { Body: dump })
    } else if (pathname === '/bounces') list(searchParams, response)
    else send(response, 404, {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const requestHost = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    bounces,
    requests,
    refusals,
    dumps,
    dumped,
    hooks,
    add,
    client: new ServerClient(TOKEN, { requestHost, useHttps: false }),
    stranger: new ServerClient('not-the-token', { requestHost, useHttps: false }),
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function send(response: ServerResponse, status: number, body: object) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

const idOf = (event: WebhookEvent) => event.raw.ID as number
const timeOf = (event: WebhookEvent) => event.at!.getTime()

async function collect(run: AsyncIterable<WebhookEvent>, limit = Number.POSITIVE_INFINITY) {
  const events: WebhookEvent[] = []
  if (limit === 0) return events
  for await (const event of run) {
    events.push(event)
    if (events.length === limit) break
  }
  return events
}

const quick = { attempts: 4, baseMs: 1 }
const options: ReconcileOptions = { streams: ['outbound'], retry: quick }
const NOON = Date.parse('2026-06-15T16:00:00Z')

describe('reconcile', () => {
  it.each([
    ['all', Number.POSITIVE_INFINITY],
    ['at most 10,000', 10_000],
  ])(
    'hands out 12,000 bounces of three streams, each once and in order, across a kill and a resume, where Postmark counts %s',
    async (_what, mostCounted) => {
      await using postmark = await startPostmark('first', mostCounted)
      const { client, add, bounces } = postmark
      // More on one stream than Postmark lists at once, and 3,000 of it within a second.
      for (let n = 0; n < 7_400; n++) add(NOON + ((n * 7_919) % 86_400) * 1000 + (n % 1000))
      for (let n = 0; n < 3_000; n++) add(NOON + 40_000_000 + (n % 7))
      for (let n = 0; n < 1_000; n++) add(NOON + n * 61_000, { MessageStream: 'broadcast' })
      for (let n = 0; n < 600; n++) add(NOON + n * 61_000, { MessageStream: 'alerts' })
      const all = { ...options, streams: ['outbound', 'broadcast', 'alerts'] }

      const run = reconcile(client, all)
      const events = await collect(run, 5_000)
      const stored = JSON.stringify(run.cursor)
      events.push(...(await collect(reconcile(client, { ...all, cursor: JSON.parse(stored) }))))

      expect(events).toHaveLength(12_000)
      expect(new Set(events.map(idOf))).toEqual(new Set(bounces.map(({ bounce }) => bounce.ID)))
      expect(events.every((event, index) => index === 0 || timeOf(events[index - 1]!) <= timeOf(event))).toBe(
        true,
      )
      expect(events.every(({ kind }) => kind === 'rejected')).toBe(true)
      expect(stored.length).toBeLessThan(300)
      expect(postmark.refusals).toEqual([])
      expect(await collect(reconcile(client, { ...all, cursor: run.cursor }))).toHaveLength(7_000)
    },
  )

  it('cuts a span that grows beyond what Postmark lists while it is read', async () => {
    await using postmark = await startPostmark()
    for (let n = 0; n < 9_990; n++) postmark.add(NOON + n * 100)
    postmark.hooks.before = () => {
      if (postmark.requests.length === 3) for (let n = 0; n < 40; n++) postmark.add(NOON + 2_000_000 + n)
      return undefined
    }
    const events = await collect(reconcile(postmark.client, options))
    expect(new Set(events.map(idOf)).size).toBe(events.length)
    expect(events).toHaveLength(postmark.bounces.length)
    expect(postmark.refusals).toEqual([])
  })

  it('asks in the words of Postmark, one stream at a time', async () => {
    await using postmark = await startPostmark()
    const since = new Date(NOON)
    const until = new Date(NOON + 60_500)
    await collect(reconcile(postmark.client, { ...options, streams: ['outbound', 'news'], since, until }))
    const query = {
      type: 'SMTPApiError',
      fromDate: '2026-06-15T12:00:00',
      toDate: '2026-06-15T12:01:01',
      count: '500',
      offset: '0',
    }
    expect(postmark.requests.map((asked) => Object.fromEntries(asked))).toEqual([
      { ...query, messageStream: 'outbound' },
      { ...query, messageStream: 'news' },
    ])
  })

  it('takes what is at `since` and leaves what is at `until`, to the millisecond', async () => {
    await using postmark = await startPostmark()
    const ids = [-1, 0, 1, 499, 500, 501].map((ms) => postmark.add(NOON + ms).ID)
    const span = { since: new Date(NOON), until: new Date(NOON + 500) }
    const events = await collect(reconcile(postmark.client, { ...options, ...span }))
    expect(events.map(idOf)).toEqual(ids.slice(1, 4))
  })

  it('leaves those younger than `settleMs` for the next run', async () => {
    await using postmark = await startPostmark()
    const old = postmark.add(Date.now() - 40_000)
    const young = postmark.add(Date.now() - 20_000)
    expect((await collect(reconcile(postmark.client, options))).map(idOf)).toEqual([old.ID])
    const events = await collect(reconcile(postmark.client, { ...options, settleMs: 0 }))
    expect(events.map(idOf)).toEqual([old.ID, young.ID])
  })

  it('goes on between two bounces of the same millisecond', async () => {
    await using postmark = await startPostmark()
    const ids = Array.from({ length: 5 }, () => postmark.add(NOON).ID)
    const run = reconcile(postmark.client, options)
    const before = await collect(run, 3)
    const after = await collect(reconcile(postmark.client, { ...options, cursor: run.cursor }))
    expect([...before, ...after].map(idOf)).toEqual(ids)
    expect((await collect(run)).map(idOf)).toEqual(ids.slice(3))
  })

  it('sees each once while new ones come and shift the pages', async () => {
    await using postmark = await startPostmark()
    const now = Date.now()
    for (let n = 0; n < 100; n++) postmark.add(now - 500_000 + n * 1000)
    const early = postmark.bounces.map(({ bounce }) => bounce.ID)
    const late: number[] = []
    postmark.hooks.before = () => {
      if (late.length < 30) late.push(postmark.add(Date.now() + 1).ID)
      return undefined
    }
    const all = { ...options, settleMs: 0, pageSize: 10 }
    const run = reconcile(postmark.client, all)
    const events = await collect(run)
    while (late.length < 30) postmark.hooks.before({} as ServerResponse, {} as IncomingMessage)
    const until = new Date(Date.now() + 10_000)
    events.push(...(await collect(reconcile(postmark.client, { ...all, cursor: run.cursor, until }))))
    expect(events.map(idOf)).toEqual([...early, ...late])
  })

  it('sees each once while one inside the span comes late', async () => {
    await using postmark = await startPostmark()
    for (let n = 0; n < 40; n++) postmark.add(NOON + n * 1000)
    const ids = postmark.bounces.map(({ bounce }) => bounce.ID)
    postmark.hooks.before = () => {
      if (postmark.requests.length === 2) postmark.add(NOON + 100_000)
      return undefined
    }
    const events = await collect(reconcile(postmark.client, { ...options, pageSize: 10 }))
    expect(events.slice(0, 40).map(idOf)).toEqual(ids)
    expect(new Set(events.map(idOf)).size).toBe(events.length)
  })

  it('misses none while one is removed and shifts the pages', async () => {
    await using postmark = await startPostmark()
    for (let n = 0; n < 40; n++) postmark.add(NOON + n * 1000)
    const ids = postmark.bounces.map(({ bounce }) => bounce.ID)
    postmark.hooks.before = () => {
      if (postmark.requests.length === 2 && postmark.bounces.length === 40) postmark.bounces.splice(-2, 2)
      return undefined
    }
    const events = await collect(reconcile(postmark.client, { ...options, pageSize: 10 }))
    expect(events.map(idOf)).toEqual(expect.arrayContaining(ids.slice(0, 38)))
  })

  it('says so where one second has more than Postmark lists', async () => {
    await using postmark = await startPostmark()
    for (let n = 0; n < 10_001; n++) postmark.add(NOON)
    const run = reconcile(postmark.client, options)
    await expect(collect(run)).rejects.toMatchObject({
      code: 'ERR_POSTMARK_BOUNCES',
      message: expect.stringMatching(
        /"outbound" has 10000 or more bounces in the second before 2026-06-15T16:00:01/,
      ),
    })
    expect(run.cursor).toEqual({})
    expect(postmark.refusals).toEqual([])
  })

  it.each([
    ['first', '2026-11-01'],
    ['second', '2026-11-01'],
    ['wall', '2026-11-01'],
    ['first', '2026-03-08'],
    ['wall', '2026-03-08'],
  ] as const)(
    'loses and doubles none where Postmark reads a time as the %s, in the night of %s',
    async (clock, day) => {
      await using postmark = await startPostmark(clock)
      const start = Date.parse(`${day}T03:00:00Z`)
      for (let minute = 0; minute < 360; minute += 10) postmark.add(start + minute * 60_000)
      const ids = postmark.bounces.map(({ bounce }) => bounce.ID)
      // Twelve runs, each of half an hour: their ends fall into and around the hour in question.
      const events: WebhookEvent[] = []
      for (let part = 0; part < 12; part++) {
        const since = new Date(start + part * 1_800_000)
        const until = new Date(start + (part + 1) * 1_800_000)
        events.push(...(await collect(reconcile(postmark.client, { ...options, since, until }))))
      }
      expect(events.map(idOf)).toEqual(ids)
      // And one after each bounce, going on by its cursor.
      let cursor: ReconcileOptions['cursor']
      const single: number[] = []
      for (let n = 0; n < 10; n++) {
        const from = { since: new Date(start + 5_400_000), cursor }
        const run = reconcile(postmark.client, { ...options, ...from })
        single.push(...(await collect(run, 1)).map(idOf))
        cursor = run.cursor
      }
      expect(single).toEqual(ids.slice(9, 19))
      expect(postmark.refusals).toEqual([])
    },
  )

  it('asks for one type, or for every type with null', async () => {
    await using postmark = await startPostmark()
    postmark.add(NOON, { Type: 'HardBounce' })
    postmark.add(NOON + 1, { Type: 'SpamComplaint' })
    postmark.add(NOON + 2)
    const kinds = async (more: object) =>
      (await collect(reconcile(postmark.client, { ...options, ...more }))).map(({ kind }) => kind)
    expect(await kinds({})).toEqual(['rejected'])
    expect(await kinds({ type: 'HardBounce' })).toEqual(['bounced'])
    expect(await kinds({ type: null })).toEqual(['bounced', 'complained', 'rejected'])
  })

  it('reads the dump also where the words of the list stand for a code', async () => {
    await using postmark = await startPostmark()
    const words = { Description: 'Inactive recipient', Details: '' }
    const { ID } = postmark.add(NOON, words)
    postmark.add(NOON + 1, { ...words, DumpAvailable: false })
    postmark.dumps.set(ID, 'ErrorCode: 412\n\nFrom: a@example.com\nX-PM-Metadata-correlation-id: c-9')
    expect(await collect(reconcile(postmark.client, options))).toMatchObject([
      { errorCode: 412, correlationId: 'c-9' },
      { errorCode: 406, correlationId: undefined },
    ])
  })

  it('reads error code and metadata from the dump where the list does not tell it, and does without a dump that fails', async () => {
    await using postmark = await startPostmark()
    const { dumps, add } = postmark
    const short = { Details: 'SMTP API error' }
    add(NOON, { Details: 'ErrorCode: 300' })
    add(NOON + 1, { ...short, DumpAvailable: false })
    const told = [
      [
        'ErrorCode: 406\nYou tried to send to an inactive recipient.\n\nFrom: a@example.com\nX-PM-Metadata-correlation-id: c-9',
        406,
      ],
      ['', undefined],
      [404, undefined],
      [500, undefined],
    ] as const
    for (const [index, [dump]] of told.entries()) dumps.set(add(NOON + 2 + index, short).ID, dump)
    const events = await collect(reconcile(postmark.client, options))
    const codes = events.map((event) => (event.kind === 'rejected' ? event.errorCode : 'other'))
    expect(codes).toEqual([300, undefined, ...told.map(([, code]) => code)])
    expect(events[2]).toMatchObject({ cause: expect.stringContaining('suppressed'), correlationId: 'c-9' })
    const asked = [...dumps.keys()]
    expect(postmark.dumped.toSorted()).toEqual([...asked, asked.at(-1)])
  })

  it.each([
    ['429', (response: ServerResponse) => send(response, 429, { ErrorCode: 429, Message: 'slow down' })],
    ['500', (response: ServerResponse) => send(response, 500, {})],
    ['503 without JSON', (response: ServerResponse) => response.writeHead(503).end('<html>')],
    ['200 of somebody else', (response: ServerResponse) => response.writeHead(200).end('<html>')],
    ['a connection that breaks', (response: ServerResponse) => response.destroy()],
  ])('asks again after %s', async (_what, answer) => {
    await using postmark = await startPostmark()
    const { ID } = postmark.add(NOON)
    let failures = 0
    postmark.hooks.before = (response) => {
      if (++failures > 3) return undefined
      answer(response)
      return true
    }
    expect((await collect(reconcile(postmark.client, options))).map(idOf)).toEqual([ID])
    expect(failures).toBe(4)
  })

  it('gives up after so many attempts, and goes on later where it was', async () => {
    await using postmark = await startPostmark()
    for (let n = 0; n < 3; n++) postmark.add(NOON + n)
    const run = reconcile(postmark.client, options)
    await collect(run, 1)
    let failures = 0
    postmark.hooks.before = (response) => {
      failures++
      send(response, 503, {})
      return true
    }
    await expect(collect(run)).rejects.toMatchObject({
      code: 'ERR_POSTMARK_BOUNCES',
      message: expect.stringContaining('"outbound"'),
      cause: { statusCode: 503 },
    })
    expect(failures).toBe(quick.attempts)
    postmark.hooks.before = () => undefined
    expect(await collect(run)).toHaveLength(2)
  })

  it('does not ask again with a token that is refused', async () => {
    await using postmark = await startPostmark()
    let asked = 0
    postmark.hooks.before = () => {
      asked++
      return undefined
    }
    const error = await collect(reconcile(postmark.stranger, options)).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'ERR_POSTMARK_BOUNCES', hint: expect.stringContaining('token') })
    expect(`${error} ${JSON.stringify(error)}`).not.toContain('not-the-token')
    expect(asked).toBe(1)
  })

  it.each([
    ['a request that gets no answer', 'hang'],
    ['a pause before the next attempt', 'fail'],
  ])('ends in %s when its signal does, with the reason', async (_when, how) => {
    await using postmark = await startPostmark()
    const stop = new AbortController()
    const reason = new Error('enough')
    postmark.hooks.before = (response) => {
      if (how === 'fail') send(response, 503, {})
      setImmediate(() => stop.abort(reason))
      return true
    }
    const slow = { attempts: 9, baseMs: 1_000_000 }
    const run = reconcile(postmark.client, { ...options, retry: slow, signal: stop.signal })
    await expect(collect(run)).rejects.toBe(reason)
  })

  it('ends between two events when its signal does, and the cursor stands at the last one', async () => {
    await using postmark = await startPostmark()
    const [first] = [postmark.add(NOON), postmark.add(NOON + 1)]
    const stop = new AbortController()
    const run = reconcile(postmark.client, { ...options, signal: stop.signal })
    const seen: number[] = []
    const loop = async () => {
      for await (const event of run) {
        seen.push(idOf(event))
        stop.abort()
      }
    }
    await expect(loop()).rejects.toMatchObject({ name: 'AbortError' })
    expect(seen).toEqual([first!.ID])
    expect(run.cursor).toEqual({ outbound: { at: '2026-06-15T16:00:00.000Z', id: first!.ID } })
  })

  it.each<[object, RegExp]>([
    [{ streams: undefined }, /streams is/],
    [{ streams: [] }, /streams is/],
    [{ streams: 'outbound' }, /streams is "outbound"/],
    [{ streams: [''] }, /streams is/],
    [{ stream: 'outbound' }, /Unknown option "stream".*"streams"/],
    [{ type: 7 }, /type is/],
    [{ since: '2026-01-01' }, /since is "2026-01-01"; it must be a Date/],
    [{ until: new Date('x') }, /until is/],
    [{ pageSize: 501 }, /pageSize is .* from 1 to 500/],
    [{ pageSize: 0 }, /pageSize/],
    [{ settleMs: -1 }, /settleMs/],
    [{ retry: { attempts: 0 } }, /retry.attempts/],
    [{ retry: 5 }, /retry is 5; it must be an object/],
    [{ retry: { tries: 1 } }, /Unknown option "tries"/],
    [{ signal: {} }, /signal/],
    [{ cursor: 'x' }, /cursor is/],
    [{ cursor: { outbound: { at: 'x', id: 1 } } }, /cursor is/],
    [{ cursor: { outbound: { at: '2026-01-01T00:00:00.000Z' } } }, /cursor is/],
    [{ cursor: { outbound: null } }, /cursor is/],
  ])('refuses the options %j at once', (wrong, message) => {
    const client = {
      getBounces: async () => ({ TotalCount: 0, Bounces: [] }),
      getBounceDump: async () => ({ Body: '' }),
    }
    const refused = expect.objectContaining({
      code: 'ERR_POSTMARK_OPTIONS',
      message: expect.stringMatching(message),
    })
    expect(() => reconcile(client, { ...options, ...wrong } as ReconcileOptions)).toThrow(refused)
  })

  it('refuses what is no client', () => {
    const refused = expect.objectContaining({
      message: expect.stringMatching(/getBounces and getBounceDump/),
    })
    expect(() => reconcile({} as never, options)).toThrow(refused)
  })
})

describe('watch', () => {
  const watching = { streams: ['outbound'], retry: quick, settleMs: 0, intervalMs: 1 }

  it('hands out new ones only, run after run, and ends quietly with its signal', async () => {
    await using postmark = await startPostmark()
    postmark.add(Date.now() - 60_000)
    const stop = new AbortController()
    const run = watch(postmark.client, { ...watching, signal: stop.signal })
    const ids: number[] = []
    const seen: number[] = []
    postmark.hooks.before = () => {
      // One or two at a time, each dated after the one before; the time it is must be over when it is asked for.
      if (ids.length < 5) ids.push(postmark.add(Date.now()).ID)
      return undefined
    }
    for await (const event of run) {
      seen.push(idOf(event))
      if (seen.length === 5) stop.abort()
    }
    expect(seen).toEqual(ids)
    expect(run.cursor.outbound?.id).toBe(ids.at(-1))
  })

  it('begins where its cursor stands, also on a stream that had nothing yet', async () => {
    await using postmark = await startPostmark()
    const cursor = JSON.parse(JSON.stringify(watch(postmark.client, watching).cursor))
    expect(Object.keys(cursor)).toEqual(['outbound'])
    const missed = postmark.add(Date.parse(cursor.outbound.at) + 1)
    const events = await collect(watch(postmark.client, { ...watching, cursor }), 1)
    expect(events.map(idOf)).toEqual([missed.ID])
  })

  it('goes on after a run that failed for a time, and tells of it', async () => {
    await using postmark = await startPostmark()
    const { ID } = postmark.add(NOON)
    let failures = 0
    postmark.hooks.before = (response) => {
      if (++failures > 2 * quick.attempts) return undefined
      send(response, 503, {})
      return true
    }
    const told: Error[] = []
    const onError = (error: Error) => {
      told.push(error)
      throw new Error('no log')
    }
    const events = await collect(watch(postmark.client, { ...watching, since: new Date(NOON), onError }), 1)
    expect(events.map(idOf)).toEqual([ID])
    expect(told).toMatchObject([{ code: 'ERR_POSTMARK_BOUNCES' }, { code: 'ERR_POSTMARK_BOUNCES' }])
  })

  it('throws where waiting would not help', async () => {
    await using postmark = await startPostmark()
    const run = watch(postmark.stranger, { ...watching, since: new Date(NOON) })
    await expect(collect(run)).rejects.toMatchObject({ cause: { statusCode: 401 } })
  })

  it('ends while it waits for the next run', async () => {
    await using postmark = await startPostmark()
    const stop = new AbortController()
    postmark.hooks.before = () => {
      setImmediate(() => stop.abort())
      return undefined
    }
    const since = new Date(NOON)
    const run = watch(postmark.client, { ...watching, since, intervalMs: 1_000_000, signal: stop.signal })
    expect(await collect(run)).toEqual([])
  })

  it.each([
    [{ intervalMs: 0 }, /intervalMs/],
    [{ onError: 'log' }, /onError/],
    [{ interval: 5 }, /Unknown option "interval"/],
  ])('refuses the options %j at once', (wrong, message) => {
    const client = {
      getBounces: async () => ({ TotalCount: 0, Bounces: [] }),
      getBounceDump: async () => ({ Body: '' }),
    }
    const refused = expect.objectContaining({ message: expect.stringMatching(message) })
    expect(() => watch(client, { ...watching, ...wrong } as never)).toThrow(refused)
  })
})
