import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { startSmtpServer } from '@postmark-smtp/testing'
import express5, { type ErrorRequestHandler, type Express } from 'express'
import express4 from 'express4'
import { afterEach, describe, expect, it } from 'vitest'
import { postmarkContext, postmarkWebhooks, type WebhookEvent } from './index.js'

const SECRET = 'express-3a5c7e9b1d'
const auth = { basic: { username: 'postmark', password: SECRET } }
const authorization = `Basic ${btoa(`postmark:${SECRET}`)}`
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
async function post(app: RequestListener, body: unknown, headers: Record<string, string> = {}) {
  const server = createServer(app).listen(0, '127.0.0.1')
  closing.push(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  return fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/postmark`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}

const any = { type: '*/*' }
describe.each([
  ['Express 4', express4 as unknown as typeof express5],
  ['Express 5', express5],
])('postmarkWebhooks on %s', (_version, express) => {
  it.each([
    ['no parser', []],
    ['json()', [express.json()]],
    ['text()', [express.text(any)]],
    ['raw()', [express.raw(any)]],
    ['urlencoded(), which leaves JSON alone', [express.urlencoded({ extended: true })]],
    ['several parsers', [express.json(), express.urlencoded({ extended: true }), express.text()]],
  ])('takes an event behind %s', async (_title, parsers) => {
    const events: WebhookEvent[] = []
    const app = express()
    for (const parser of parsers) app.use(parser)
    const errors: unknown[] = []
    const onError = (error: unknown) => errors.push(error)
    app.post(
      '/webhooks/postmark',
      postmarkWebhooks({ auth, on: { any: (event) => events.push(event) }, onError }),
    )
    const response = await post(app, bounce)
    expect(response.status).toBe(200)
    expect(events).toMatchObject([{ kind: 'rejected', errorCode: 406, recipient: 'ann@example.com' }])
    expect((await post(app, bounce, { authorization: 'Basic eDp5' })).status).toBe(401)
    expect(events).toHaveLength(1)
    expect(String(errors)).toContain('its Basic login is not in auth.basic')
  })

  it.each([
    ['lost behind json()', 413, (app: Express) => app.use(express.json())],
    ['taken behind a larger json()', 200, (app: Express) => app.use(express.json({ limit: '10mb' }))],
    ['taken in front of json()', 200, () => {}],
  ])('an event of 200 KB is %s: the reply is %i', async (_title, status, prepare) => {
    const events: WebhookEvent[] = []
    const app = express()
    prepare(app)
    app.post('/webhooks/postmark', postmarkWebhooks({ auth, on: { any: (event) => events.push(event) } }))
    app.use(express.json())
    app.use(((error, _req, res, _next) => res.sendStatus(error.status)) satisfies ErrorRequestHandler)
    expect((await post(app, { ...bounce, Content: 'x'.repeat(200_000) })).status).toBe(status)
    expect(events).toHaveLength(status === 200 ? 1 : 0)
  })

  it('asks Postmark to post again where a handler fails, and the application goes on', async () => {
    const errors: unknown[] = []
    const app = express()
    app.post(
      '/webhooks/postmark',
      postmarkWebhooks({
        auth,
        on: { rejected: () => Promise.reject(new Error('no')) },
        onError: (error, event) => errors.push([error, event?.kind]),
      }),
    )
    expect((await post(app, bounce)).status).toBe(500)
    expect((await post(app, bounce)).status).toBe(500)
    expect(errors).toHaveLength(2)
    expect(errors[0]).toEqual([new Error('no'), 'rejected'])
  })

  it('leaves alone what has been answered', async () => {
    const app = express()
    app.use((_req: object, res: { status(code: number): { end(): void } }, next: () => void) => {
      res.status(202).end()
      next()
    })
    app.post('/webhooks/postmark', postmarkWebhooks({ auth, on: {} }))
    expect((await post(app, bounce)).status).toBe(202)
  })

  it('sends a handler’s mail with the correlation ID of the event, and with nothing of the request', async () => {
    await using smtp = await startSmtpServer()
    const { host, port, ca } = smtp
    const transporter = createPostmarkTransport({
      serverToken: 'express-token',
      host,
      ports: [port],
      tls: { ca },
    })
    const mail = {
      from: 'a@example.com',
      to: 'support@example.com',
      subject: 'Refused',
      text: 'An email was refused.',
    }
    const app = express()
    app.use(postmarkContext({ tag: 'request', messageStream: 'request', metadata: { request: 'yes' } }))
    app.post(
      '/webhooks/postmark',
      postmarkWebhooks({ auth, on: { rejected: () => transporter.sendMail(mail) } }),
    )
    expect((await post(app, bounce)).status).toBe(200)
    await transporter.close()
    const lines = smtp.mails.map((sent) => sent.headerLines.filter((line) => /^x-pm-/i.test(line)))
    expect(lines).toEqual([['X-PM-Metadata-correlation-id: c-17']])
  })

  it('does not start without a secret', () => {
    expect(() => postmarkWebhooks({ auth: {}, on: {} })).toThrow('There is no secret')
  })
})

it('fits the types of Express 4 and 5, on an application and on a router', () => {
  const options = { auth, on: { bounced: (event: WebhookEvent) => event.recipient } }
  const apps = [
    express4().post('/webhooks/:server', postmarkWebhooks(options)),
    express5().post('/webhooks/:server', postmarkWebhooks(options)),
    express4.Router().post('/', postmarkWebhooks(options)),
    express5.Router().post('/', postmarkWebhooks(options)),
  ]
  expect(apps.map((app) => typeof app)).toEqual(Array(4).fill('function'))
})
