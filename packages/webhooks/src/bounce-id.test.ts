import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ServerClient } from 'postmark'
import { describe, expect, it } from 'vitest'
import { quoteLongIds } from './bounce-id.js'
import { createWebhookHandler, exactIds, parseWebhook, reconcile, type WebhookEvent } from './index.js'

/** As in Postmark's own example of a bounce. */
const LONG = '4323372036854775807'
const body = (id: string, more = '') =>
  `{"RecordType":"Bounce","Type":"HardBounce","ID":${id},"Email":"ann@example.com"${more}}`
const idOf = (input: unknown) => {
  const event = parseWebhook(input)
  return event.kind === 'bounced' ? event.bounceId : event.kind
}

describe('the ID of a bounce', () => {
  it.each<[string, string, unknown]>([
    ['a number as usual', body('4411'), 4411],
    ['the largest number that JavaScript holds', body('9007199254740991'), 9007199254740991],
    ['one more than that, as text', body('9007199254740992'), '9007199254740992'],
    ['two more, which JSON.parse would change', body('9007199254740993'), '9007199254740993'],
    ['text beyond 2^53', body(LONG), LONG],
    ['text, with white space around it', body(`\n\t ${LONG} `), LONG],
    ['text already, where a client has kept it so', body(`"${LONG}"`), LONG],
    ['a number that is written as text', body('"4411"'), 4411],
    ['nothing that is no whole number', body(`${LONG}.5`), undefined],
    ['nothing that is written with an exponent', body('4323372036854775807e3'), undefined],
    ['nothing that is no number at all', body('"none"'), undefined],
    ['nothing below one', body('-4323372036854775807'), undefined],
  ])('is read as %s', (_title, json, expected) => {
    expect(idOf(json)).toBe(expected)
  })

  it('is undefined rather than wrong where a parser in front has rounded it', () => {
    expect(idOf(JSON.parse(body(LONG)))).toBeUndefined()
  })

  it('is exact in `raw` too, and no other number changes', () => {
    const { raw } = parseWebhook(body(LONG, `,"ServerID":12345678901234567,"Details":"x"`))
    expect(raw).toMatchObject({ ID: LONG, ServerID: Number('12345678901234567') })
  })

  it.each([
    ['a value', `{"Details":"\\"ID\\": ${LONG}","ID":1}`],
    ['a value that ends like a key', `{"Details":"\\\\\\"ID","Subject":"a:${LONG}","ID":1}`],
    ['a key that ends like one', `{"a \\"ID":${LONG},"ID":1}`],
    ['a longer key', `{"MessageID":${LONG},"ServerID":${LONG},"ID":1}`],
    ['a list', `{"a":["ID",${LONG}],"ID":1}`],
  ])('is not found inside %s', (_what, json) => {
    expect(quoteLongIds(json)).toBe(json)
    expect(JSON.parse(json).ID).toBe(1)
  })

  it.each([`{"ID":0${LONG}}`, `{"ID":${LONG}x}`, `{"ID" ${LONG}}`])(
    'makes no JSON of %s, which is none',
    (text) => {
      expect(() => parseWebhook(text)).toThrow(expect.objectContaining({ code: 'ERR_POSTMARK_WEBHOOK' }))
    },
  )

  it('reaches a handler exactly, from a body that is text, bytes or a request', async () => {
    const ids: unknown[] = []
    const handle = createWebhookHandler({
      auth: { header: { name: 'x-secret', value: 'bounce-id-5e7a9c' } },
      on: { bounced: ({ bounceId }) => ids.push(bounceId) },
      dedupe: false,
    })
    const request = (init: object = {}) =>
      new Request('http://localhost', {
        method: 'POST',
        headers: { 'x-secret': 'bounce-id-5e7a9c' },
        ...init,
      })
    await handle(request({ body: body(LONG) }))
    await handle(request(), { body: body(LONG) })
    await handle(request(), { body: Buffer.from(body(LONG)) })
    expect(ids).toEqual([LONG, LONG, LONG])
  })
})

/** `GET /bounces` of one page, with IDs that JSON.parse rounds to the same number, and the dump of each. */
async function startPostmark(ids: readonly string[]) {
  const dumped: string[] = []
  const items = ids.map(
    (id, index) =>
      `{"ID":${id},"Type":"SMTPApiError","MessageID":"m-${index}","Email":"u${index}@example.com","BouncedAt":"2026-06-15T12:00:00.0000000-04:00","DumpAvailable":true}`,
  )
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://localhost')
    const [, id = ''] = /^\/bounces\/(.+)\/dump$/.exec(pathname) ?? []
    if (id) dumped.push(id)
    const code = 300 + ids.indexOf(id)
    const answer = id
      ? JSON.stringify({ Body: `ErrorCode: ${code}` })
      : `{"TotalCount":${ids.length},"Bounces":[${items}]}`
    response
      .writeHead(ids.includes(id) || !id ? 200 : 404, { 'content-type': 'application/json' })
      .end(answer)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const options = { requestHost: `127.0.0.1:${(server.address() as AddressInfo).port}`, useHttps: false }
  return {
    dumped,
    plain: new ServerClient('token', options),
    exact: new ServerClient('token', { ...options, fetch: exactIds() }),
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

describe('reconcile, where IDs are beyond 2^53', () => {
  const IDS = [LONG, '4323372036854775806', '4323372036854775805', '700']
  const options = { streams: ['outbound'], retry: { attempts: 1 } }
  const read = async (run: AsyncIterable<WebhookEvent>, most = 9) => {
    const events: WebhookEvent[] = []
    for await (const event of run) {
      events.push(event)
      if (events.length === most) break
    }
    return events.map((event) =>
      event.kind === 'rejected' ? [event.recipient, event.bounceId, event.errorCode] : [],
    )
  }
  const recipients = ['u0@example.com', 'u1@example.com', 'u2@example.com', 'u3@example.com']

  it('drops no bounce of the official client, which rounds them, and asks for no dump of another one', async () => {
    await using postmark = await startPostmark(IDS)
    const events = await read(reconcile(postmark.plain, options))
    expect(events.map(([recipient]) => recipient).toSorted()).toEqual(recipients)
    expect(events.map(([, id]) => id)).toEqual([700, undefined, undefined, undefined])
    expect(postmark.dumped).toEqual(['700'])
  })

  it('hands out exact IDs, in their order and with their dumps, where the client uses exactIds', async () => {
    await using postmark = await startPostmark(IDS)
    expect(await read(reconcile(postmark.exact, options))).toEqual([
      ['u3@example.com', 700, 303],
      ['u2@example.com', '4323372036854775805', 302],
      ['u1@example.com', '4323372036854775806', 301],
      ['u0@example.com', LONG, 300],
    ])
  })

  it.each(['plain', 'exact'] as const)(
    'goes on by a stored cursor after each of them, with the %s client',
    async (which) => {
      await using postmark = await startPostmark(IDS)
      const all: unknown[] = []
      let stored = '{}'
      for (let n = 0; n < 6; n++) {
        const run = reconcile(postmark[which], { ...options, cursor: JSON.parse(stored) })
        all.push(...(await read(run, 1)).map(([recipient]) => recipient))
        stored = JSON.stringify(run.cursor)
      }
      expect(all.toSorted()).toEqual(recipients)
      expect(stored).not.toContain('example.com')
    },
  )
})

describe('exactIds', () => {
  it('keeps status, headers and an empty body', async () => {
    const answers = [
      new Response(null, { status: 204 }),
      new Response('{"ErrorCode":10}', { status: 401, headers: { 'x-a': 'b' } }),
    ]
    const fetch = exactIds(async () => answers.shift()!)
    expect((await fetch('http://localhost')).status).toBe(204)
    const refused = await fetch('http://localhost')
    expect([refused.status, refused.headers.get('x-a'), await refused.json()]).toEqual([
      401,
      'b',
      { ErrorCode: 10 },
    ])
  })
})
