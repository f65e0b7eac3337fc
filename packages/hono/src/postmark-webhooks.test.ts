import { once } from 'node:events'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { startSmtpServer } from '@postmark-smtp/testing'
import { Hono, type MiddlewareHandler } from 'hono'
import { afterEach, describe, expect, it } from 'vitest'
import { postmarkContext, postmarkWebhooks, type WebhookEvent, type WebhookHandlerOptions } from './index.js'

const SECRET = 'hono-3a5c7e9b1d'
const auth = { basic: { username: 'postmark', password: SECRET } }
const authorization = `Basic ${btoa(`postmark:${SECRET}`)}`
const path = '/webhooks/postmark'
const bounce = {
  RecordType: 'Bounce',
  Type: 'SMTPApiError',
  Details: 'ErrorCode: 406',
  Email: 'ann@example.com',
  Tag: 'news',
  MessageStream: 'broadcast',
  Metadata: { 'correlation-id': 'c-17' },
}

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})
async function listen(app: Hono): Promise<string> {
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  closing.push(() => {
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
const post = (origin: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(origin + path, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

/** An application with the route, what came to it, and what was reported. */
async function start(options: Partial<WebhookHandlerOptions> = {}, ...before: MiddlewareHandler[]) {
  const events: WebhookEvent[] = []
  const errors: unknown[] = []
  const app = new Hono()
  for (const middleware of before) app.use(middleware)
  app.post(
    path,
    postmarkWebhooks({
      auth,
      on: { any: (event) => events.push(event) },
      onError: (error) => errors.push(error),
      ...options,
    }),
  )
  return { origin: await listen(app), events, errors }
}

const reading = (read: (c: Parameters<MiddlewareHandler>[0]) => Promise<unknown>): MiddlewareHandler => {
  return async (c, next) => {
    await read(c)
    await next()
  }
}

describe('postmarkWebhooks', () => {
  it.each<[string, MiddlewareHandler[]]>([
    ['nothing', []],
    ['c.req.json()', [reading((c) => c.req.json())]],
    ['c.req.text()', [reading((c) => c.req.text())]],
    ['c.req.arrayBuffer()', [reading((c) => c.req.arrayBuffer())]],
  ])('takes an event after %s has read the body', async (_title, before) => {
    const { origin, events, errors } = await start({}, ...before)
    expect((await post(origin, bounce)).status).toBe(200)
    expect(events).toMatchObject([{ kind: 'rejected', errorCode: 406, recipient: 'ann@example.com' }])
    expect((await post(origin, bounce, { authorization: 'Basic eDp5' })).status).toBe(401)
    expect(events).toHaveLength(1)
    expect(String(errors)).toContain('its Basic login is not in auth.basic')
  })

  it('answers 500 where something has read the body past Hono, so that Postmark posts again', async () => {
    const { origin, events, errors } = await start(
      {},
      reading((c) => c.req.raw.text()),
    )
    expect((await post(origin, bounce)).status).toBe(500)
    expect(events).toEqual([])
    expect(errors).toHaveLength(1)
  })

  it('refuses a body beyond its limit, announced or not, with an answer that arrives', async () => {
    const { origin, events } = await start({ limits: { maxBytes: 100_000 } })
    const large = JSON.stringify({ ...bounce, Content: 'x'.repeat(1_000_000) })
    expect((await post(origin, large)).status).toBe(413)
    const chunked = request(origin + path, { method: 'POST', headers: { authorization } })
    chunked.on('error', () => {}) // the rest of the body may be refused
    chunked.write(large)
    const [response] = await once(chunked, 'response')
    expect(response.statusCode).toBe(413)
    chunked.destroy()
    expect((await post(origin, bounce)).status).toBe(200)
    expect(events).toHaveLength(1)
  })

  it('knows a post by a secret header, and by the address of its connection', async () => {
    const header = { name: 'X-Secret', value: SECRET }
    const near = await start({ auth: { header, ips: { allow: ['127.0.0.1'] } } })
    expect((await post(near.origin, bounce)).status).toBe(401)
    expect((await post(near.origin, bounce, { 'x-secret': SECRET })).status).toBe(200)
    const far = await start({ auth: { header, ips: { allow: ['192.0.2.7'] } } })
    expect((await post(far.origin, bounce, { 'x-secret': SECRET })).status).toBe(503)
    expect(String(far.errors)).toContain('127.0.0.1')
  })

  it.each([
    ['nothing', []],
    ['c.req.json()', [reading((c) => c.req.json())]],
  ])('keeps the ID of a bounce exact, beyond 2^53, after %s', async (_title, before) => {
    const { origin, events } = await start({}, ...before)
    await post(origin, '{"RecordType":"Bounce","Type":"HardBounce","ID":4323372036854775807}')
    expect(events).toMatchObject([{ bounceId: '4323372036854775807' }])
  })

  it('asks Postmark to post again where a handler fails', async () => {
    const { origin, errors } = await start({ on: { rejected: () => Promise.reject(new Error('no')) } })
    expect((await post(origin, bounce)).status).toBe(500)
    expect(errors).toEqual([new Error('no')])
  })

  it('sends a handler’s mail with the correlation ID of the event, and with nothing of the request', async () => {
    await using smtp = await startSmtpServer()
    const { host, port, ca } = smtp
    const transporter = createPostmarkTransport({
      serverToken: 'hono-token',
      host,
      ports: [port],
      tls: { ca },
    })
    const mail = {
      from: 'a@example.com',
      to: 'support@example.com',
      subject: 'Refused',
      text: 'It was refused.',
    }
    const { origin } = await start(
      { on: { rejected: () => transporter.sendMail(mail) } },
      postmarkContext({ tag: 'request', messageStream: 'request', metadata: { request: 'yes' } }),
    )
    expect((await post(origin, bounce)).status).toBe(200)
    await transporter.close()
    const lines = smtp.mails.map((sent) => sent.headerLines.filter((line) => /^x-pm-/i.test(line)))
    expect(lines).toEqual([['X-PM-Metadata-correlation-id: c-17']])
  })

  it('does not start without a secret', () => {
    expect(() => postmarkWebhooks({ auth: {}, on: {} })).toThrow('There is no secret')
  })

  it('works without a server, as in app.request', async () => {
    const app = new Hono().post(path, postmarkWebhooks({ auth, on: {} }))
    const init = { method: 'POST', headers: { authorization }, body: JSON.stringify(bounce) }
    expect((await app.request(path, init)).status).toBe(200)
  })
})
