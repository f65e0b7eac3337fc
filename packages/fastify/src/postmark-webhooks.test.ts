import formbody from '@fastify/formbody'
import multipart from '@fastify/multipart'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { startSmtpServer } from '@postmark-smtp/testing'
import fastify, { type FastifyInstance, type FastifyPluginCallback } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { afterEach, describe, expect, it } from 'vitest'
import { postmarkContext, postmarkWebhooks, type WebhookEvent } from './index.js'

const SECRET = 'fastify-3a5c7e9b1d'
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

const apps: FastifyInstance[] = []
afterEach(() => Promise.all(apps.splice(0).map((app) => app.close())))
function create(): FastifyInstance {
  const app = fastify()
  apps.push(app)
  return app
}
/** Posts over a real connection: the body is read from the socket. */
async function post(
  app: FastifyInstance,
  body: unknown,
  headers: Record<string, string> = {},
  path = '/webhooks/postmark',
) {
  const url = app.server.listening ? app.listeningOrigin : await app.listen({ port: 0, host: '127.0.0.1' })
  return fetch(url + path, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

const parsers: Record<string, (app: FastifyInstance) => unknown> = {
  'the parsers of Fastify': () => {},
  'no parsers': (app) => app.removeAllContentTypeParsers(),
  'formbody and multipart': (app) => app.register(formbody).register(multipart),
  'a parser of its own for JSON': (app) => {
    app.removeContentTypeParser('application/json')
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    )
  },
  'a parser for everything': (app) =>
    app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body)),
}

describe('postmarkWebhooks', () => {
  it.each(Object.entries(parsers))('takes an event in an application with %s', async (_title, prepare) => {
    const events: WebhookEvent[] = []
    const errors: unknown[] = []
    const app = create()
    prepare(app)
    app.register(postmarkWebhooks, {
      auth,
      on: { any: (event) => events.push(event) },
      onError: (error) => errors.push(error),
    })
    expect((await post(app, bounce)).status).toBe(200)
    expect(events).toMatchObject([{ kind: 'rejected', errorCode: 406, recipient: 'ann@example.com' }])
    expect((await post(app, bounce, { authorization: 'Basic eDp5' })).status).toBe(401)
    expect(events).toHaveLength(1)
    expect(String(errors)).toContain('its Basic login is not in auth.basic')
  })

  it('leaves the parsers of the application as they are', async () => {
    const app = create()
    app.register(postmarkWebhooks, { auth, on: {} })
    app.post('/json', async ({ body }) => body)
    expect(await (await post(app, { a: 1 }, {}, '/json')).json()).toEqual({ a: 1 })
  })

  it('has the path that it is given, after its prefix', async () => {
    const events: WebhookEvent[] = []
    const options = { auth, on: { any: (event: WebhookEvent) => events.push(event) } }
    const app = create()
    app.register(postmarkWebhooks, { ...options, prefix: '/api', logLevel: 'warn' })
    app.register(
      async (child) => {
        child.register(postmarkWebhooks, { ...options, path: '/postmark' })
      },
      { prefix: '/hooks' },
    )
    expect((await post(app, bounce, {}, '/api/webhooks/postmark')).status).toBe(200)
    expect((await post(app, bounce, {}, '/hooks/postmark')).status).toBe(200)
    expect((await post(app, bounce)).status).toBe(404)
    expect(events).toHaveLength(2)
  })

  it('knows a post by a secret header', async () => {
    const app = create()
    app.register(postmarkWebhooks, {
      auth: { header: { name: 'X-Secret', value: SECRET } },
      on: {},
      onError() {},
    })
    expect((await post(app, bounce)).status).toBe(401)
    expect((await post(app, bounce, { 'x-secret': SECRET })).status).toBe(200)
  })

  it('takes an event of 2 MB, which is more than the bodyLimit of Fastify, and refuses more than its own limit', async () => {
    const events: WebhookEvent[] = []
    const app = create()
    const on = { any: (event: WebhookEvent) => events.push(event) }
    app.register(postmarkWebhooks, { auth, on, limits: { maxBytes: 3_000_000 } })
    expect((await post(app, { ...bounce, Content: 'x'.repeat(2_000_000) })).status).toBe(200)
    expect((await post(app, { ...bounce, Content: 'x'.repeat(4_000_000) })).status).toBe(413)
    expect((await post(app, { ...bounce, Email: 'bob@example.com' })).status).toBe(200)
    expect(events.map(({ recipient }) => recipient)).toEqual(['ann@example.com', 'bob@example.com'])
  })

  it('keeps the ID of a bounce exact, beyond 2^53', async () => {
    const events: WebhookEvent[] = []
    const app = create()
    app.register(postmarkWebhooks, { auth, on: { any: (event) => events.push(event) } })
    await post(app, '{"RecordType":"Bounce","Type":"HardBounce","ID":4323372036854775807}')
    expect(events).toMatchObject([{ bounceId: '4323372036854775807' }])
  })

  it('says so where a hook of the application has read the body', async () => {
    const errors: unknown[] = []
    const app = create()
    app.addHook('preParsing', async (_request, _reply, payload) => {
      for await (const chunk of payload) void chunk
      return undefined
    })
    app.register(postmarkWebhooks, { auth, on: {}, onError: (error) => errors.push(error) })
    expect((await post(app, bounce)).status).toBe(500)
    expect(String(errors)).toContain('Something has read the body before the webhook handler')
  })

  it('asks Postmark to post again where a handler fails, and the application goes on', async () => {
    const errors: unknown[] = []
    const app = create()
    app.register(postmarkWebhooks, {
      auth,
      on: { rejected: () => Promise.reject(new Error('no')) },
      onError: (error, event) => errors.push([error, event?.kind]),
    })
    expect((await post(app, bounce)).status).toBe(500)
    expect((await post(app, bounce)).status).toBe(500)
    expect(errors[0]).toEqual([new Error('no'), 'rejected'])
  })

  it('lets a hook of the application answer first', async () => {
    const app = create()
    app.addHook('onRequest', async (_request, reply) => reply.code(429).send('later'))
    app.register(postmarkWebhooks, { auth, on: {} })
    expect((await post(app, bounce)).status).toBe(429)
  })

  it('sends a handler’s mail with the correlation ID of the event, and with nothing of the request', async () => {
    await using smtp = await startSmtpServer()
    const { host, port, ca } = smtp
    const transporter = createPostmarkTransport({
      serverToken: 'fastify-token',
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
    const app = create()
    app.register(postmarkContext, {
      fields: { tag: 'request', messageStream: 'request', metadata: { request: 'yes' } },
    })
    app.register(postmarkWebhooks, { auth, on: { rejected: () => transporter.sendMail(mail) } })
    expect((await post(app, bounce)).status).toBe(200)
    await transporter.close()
    const lines = smtp.mails.map((sent) => sent.headerLines.filter((line) => /^x-pm-/i.test(line)))
    expect(lines).toEqual([['X-PM-Metadata-correlation-id: c-17']])
  })

  it('does not start without a secret, or with an unknown option', async () => {
    const withoutSecret = create()
    withoutSecret.register(postmarkWebhooks, { auth: {}, on: {} })
    await expect(withoutSecret.ready()).rejects.toThrow('There is no secret')
    const unknown = create()
    unknown.register(postmarkWebhooks, { auth, on: {}, onEror: () => {} } as never)
    await expect(unknown.ready()).rejects.toMatchObject({ code: 'ERR_POSTMARK_OPTIONS' })
  })

  it('says so where it was called, or used as a handler', async () => {
    const call = postmarkWebhooks as unknown as (options: object) => Promise<void>
    await expect(call({ auth, on: {} })).rejects.toThrow('app.register(postmarkWebhooks, { auth, on })')
    const app = create()
    app.post('/webhooks/postmark', postmarkWebhooks as never)
    const response = await post(app, bounce)
    expect([response.status, await response.text()]).toEqual([500, expect.stringContaining('Register it')])
  })

  it('keeps to its own context within a plugin that breaks out of its own', async () => {
    const app = create()
    const features: FastifyPluginCallback = (instance, _options, done) => {
      instance.register(postmarkWebhooks, { auth, on: {} })
      done()
    }
    app.register(fastifyPlugin(features))
    app.post('/json', async ({ body }) => body)
    expect((await post(app, bounce)).status).toBe(200)
    expect(await (await post(app, { a: 1 }, {}, '/json')).json()).toEqual({ a: 1 })
  })
})
