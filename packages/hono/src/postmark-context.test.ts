import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { createPostmarkTransport, type PostmarkProblem } from '@postmark-smtp/core'
import { startSmtpServer } from '@postmark-smtp/testing'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { stream } from 'hono/streaming'
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest'
import { capturePostmark, currentPostmark, postmarkContext, postmarkWebhooks } from './index.js'

let smtp: Awaited<ReturnType<typeof startSmtpServer>>
let transporter: ReturnType<typeof createPostmarkTransport>
const warnings: PostmarkProblem[] = []
beforeAll(async () => {
  smtp = await startSmtpServer({ tls: false })
  transporter = createPostmarkTransport({
    serverToken: 'hono-token',
    host: smtp.host,
    ports: [smtp.port],
    allowPlaintext: true,
    onWarning: (warning) => warnings.push(warning),
  })
})
afterAll(async () => {
  await transporter.close()
  await smtp.close()
})
beforeEach(() => {
  smtp.clear()
  warnings.length = 0
})

const send = () =>
  transporter.sendMail({ from: 'a@example.com', to: 'b@example.com', subject: 'Hi', text: 'Hi' })
const sendMail = async (c: Context) => {
  await send()
  return c.text('sent')
}
const lines = () => smtp.mails.map((mail) => mail.headerLines.filter((line) => /^x-pm-/i.test(line)))

interface Env {
  Variables: { user?: { readonly id: string } }
}

describe('postmarkContext', () => {
  it('merges the fields of application, path and route; the innermost wins', async () => {
    const api = new Hono()
      .use(postmarkContext({ tag: 'path', metadata: { path: 'yes' } }))
      .get('/mail', postmarkContext({ tag: 'route', metadata: { route: 'yes' } }), sendMail)
    const app = new Hono()
      .use(postmarkContext({ tag: 'app', metadata: { app: 'yes' }, keepId: true }))
      .route('/api', api)
    expect(await (await app.request('/api/mail')).text()).toBe('sent')
    expect(lines()).toEqual([
      [
        'X-PM-Tag: route',
        'X-PM-Metadata-app: yes',
        'X-PM-Metadata-path: yes',
        'X-PM-Metadata-route: yes',
        'X-PM-KeepID: true',
      ],
    ])
  })

  it('gives a function the context, with what later middleware puts into it, once per email', async () => {
    let calls = 0
    const app = new Hono<Env>()
    app.use(
      postmarkContext<Env>((c) => {
        expectTypeOf(c.get('user')).toEqualTypeOf<{ readonly id: string } | undefined>()
        return { tag: `call ${++calls}`, metadata: { 'user-id': c.get('user')?.id } }
      }),
      async (c, next) => {
        c.set('user', { id: 'u1' })
        await next()
      },
    )
    app.get('/none', (c) => c.text('nothing'))
    app.get('/two', async (c) => {
      await send()
      return sendMail(c)
    })
    await app.request('/none')
    expect(calls).toBe(0)
    await app.request('/two')
    expect(lines()).toEqual([
      ['X-PM-Tag: call 1', 'X-PM-Metadata-user-id: u1'],
      ['X-PM-Tag: call 2', 'X-PM-Metadata-user-id: u1'],
    ])
  })

  it('keeps the types of other handlers', () => {
    new Hono<Env>()
      .use(postmarkContext((c) => ({ tag: c.req.header('x-tag') })))
      .get('/:id', postmarkContext({ tag: 'route' }), (c) => {
        expectTypeOf(c.req.param()).toEqualTypeOf<{ id: string }>()
        expectTypeOf(c.get('user')).toEqualTypeOf<{ readonly id: string } | undefined>()
        return c.text('ok')
      })
  })

  it('loses no email to a function that returns a promise, and warns', async () => {
    const app = new Hono().use(postmarkContext((async () => ({ tag: 'late' })) as never)).get('/', sendMail)
    await app.request('/')
    expect(lines()).toEqual([[]])
    expect(warnings).toMatchObject([{ path: 'context', found: 'returned a promise' }])
  })

  it('reaches the work that is given to c.executionCtx.waitUntil', async () => {
    const work: Promise<unknown>[] = []
    const app = new Hono().use(postmarkContext({ tag: 'later' })).get('/', (c) => {
      c.executionCtx.waitUntil(new Promise((resolve) => setImmediate(resolve)).then(send))
      return c.text('answered')
    })
    const waitUntil = (promise: Promise<unknown>) => void work.push(promise)
    const context = { waitUntil, passThroughOnException() {}, props: {} }
    expect(await (await app.request('/', {}, {}, context)).text()).toBe('answered')
    await Promise.all(work)
    expect(lines()).toEqual([['X-PM-Tag: later']])
  })

  it('has no scope where the socket calls onAbort, and capturePostmark keeps it', async () => {
    const client = new AbortController()
    let aborted: (seen: unknown[]) => void
    const seen = new Promise<unknown[]>((resolve) => {
      aborted = resolve
    })
    const app = new Hono().use(postmarkContext({ tag: 'stream' })).get('/', (c) =>
      stream(c, async (output) => {
        const reenter = capturePostmark()
        output.onAbort(() => aborted([currentPostmark(), reenter(currentPostmark)]))
        await output.write('first')
        await seen
      }),
    )
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
    try {
      await once(server, 'listening')
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const response = await fetch(url, { signal: client.signal })
      await response.body!.getReader().read()
      client.abort()
      expect(await seen).toEqual([undefined, { tag: 'stream' }])
    } finally {
      server.close()
      if ('closeAllConnections' in server) server.closeAllConnections()
    }
  })

  it('reaches the handler of errors that a later middleware or a handler throws', async () => {
    const app = new Hono().use(postmarkContext({ tag: 'failed' }))
    app.get('/', () => {
      throw new Error('a fault of the handler')
    })
    app.onError(async (_error, c) => sendMail(c))
    await app.request('/')
    expect(lines()).toEqual([['X-PM-Tag: failed']])
  })

  it.each([
    [{ tga: 'signup' }, 'ERR_POSTMARK_FIELDS', /tga is not a Postmark field/],
    [{ tag: 'x'.repeat(1001) }, 'ERR_POSTMARK_FIELDS', /1001 characters/],
    [undefined, 'ERR_POSTMARK_OPTIONS', /Option fields/],
  ])('refuses the fields %o at once', (fields, code, message) => {
    expect(() => postmarkContext(fields as object)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    )
  })

  it.each<[string, unknown]>([
    ['postmarkContext', postmarkContext],
    ['postmarkWebhooks', postmarkWebhooks],
  ])('%s without its parentheses answers with an error that says so', async (name, middleware) => {
    let met: unknown
    const app = new Hono()
    app.onError((error, c) => {
      met = error
      return c.text('failed', 500)
    })
    app.use(middleware as MiddlewareHandler)
    expect((await app.request('/')).status).toBe(500)
    expect(met).toMatchObject({
      name: 'PostmarkError',
      code: 'ERR_POSTMARK_OPTIONS',
      message:
        `${name} returns the middleware, but was itself registered as the middleware. ` +
        `Call it when you register it: app.use(${name}(…)).`,
    })
  })
})
