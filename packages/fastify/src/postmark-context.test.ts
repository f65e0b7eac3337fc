import { AsyncLocalStorage } from 'node:async_hooks'
import { createPostmarkTransport, type PostmarkProblem } from '@postmark-smtp/core'
import { startSmtpServer } from '@postmark-smtp/testing'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest'
import { capturePostmark, currentPostmark, postmarkContext } from './index.js'

declare module 'fastify' {
  interface FastifyRequest {
    user?: { readonly id: string }
  }
}

let smtp: Awaited<ReturnType<typeof startSmtpServer>>
let transporter: ReturnType<typeof createPostmarkTransport>
const warnings: PostmarkProblem[] = []
beforeAll(async () => {
  smtp = await startSmtpServer({ tls: false })
  transporter = createPostmarkTransport({
    serverToken: 'fastify-token',
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

const apps: FastifyInstance[] = []
afterEach(() => Promise.all(apps.splice(0).map((app) => app.close())))
function create(): FastifyInstance {
  const app = fastify()
  apps.push(app)
  return app
}

const sendMail = async () => {
  await transporter.sendMail({ from: 'a@example.com', to: 'b@example.com', subject: 'Hi', text: 'Hi' })
  return 'sent'
}
const lines = () => smtp.mails.map((mail) => mail.headerLines.filter((line) => /^x-pm-/i.test(line)))

describe('postmarkContext', () => {
  it('merges the fields of application, child and route; the innermost wins', async () => {
    const app = create()
    app.register(postmarkContext, { fields: { tag: 'app', metadata: { app: 'yes' }, keepId: true } })
    app.register(
      async (child) => {
        child.register(postmarkContext, { fields: { tag: 'child', metadata: { child: 'yes' } } })
        child.get('/mail', { config: { postmark: { tag: 'route', metadata: { route: 'yes' } } } }, sendMail)
      },
      { prefix: '/api' },
    )
    expect((await app.inject('/api/mail')).body).toBe('sent')
    expect(lines()).toEqual([
      [
        'X-PM-Tag: route',
        'X-PM-Metadata-app: yes',
        'X-PM-Metadata-child: yes',
        'X-PM-Metadata-route: yes',
        'X-PM-KeepID: true',
      ],
    ])
  })

  it('applies to the instance that it is registered on and its children, and to no other', async () => {
    const app = create()
    app.get('/outside', sendMail)
    app.register(async (child) => {
      child.get('/before', sendMail)
      child.register(postmarkContext, { fields: { tag: 'child' } })
      child.get('/within', sendMail)
      child.register(async (grandchild) => {
        grandchild.get('/below', sendMail)
      })
    })
    for (const path of ['/outside', '/before', '/within', '/below']) await app.inject(path)
    expect(lines()).toEqual([[], ['X-PM-Tag: child'], ['X-PM-Tag: child'], ['X-PM-Tag: child']])
  })

  it('gives a function the request, with what a later hook puts on it, once per email', async () => {
    let calls = 0
    const app = create()
    app.register(postmarkContext, {
      fields: (request) => {
        expectTypeOf(request).toEqualTypeOf<FastifyRequest>()
        return { tag: `call ${++calls}`, metadata: { 'user-id': request.user?.id } }
      },
    })
    app.addHook('preHandler', async (request) => {
      request.user = { id: 'u1' }
    })
    app.get('/none', async () => 'nothing')
    app.get('/two', async () => {
      await sendMail()
      return sendMail()
    })
    await app.inject('/none')
    expect(calls).toBe(0)
    await app.inject('/two')
    expect(lines()).toEqual([
      ['X-PM-Tag: call 1', 'X-PM-Metadata-user-id: u1'],
      ['X-PM-Tag: call 2', 'X-PM-Metadata-user-id: u1'],
    ])
  })

  it('takes a function as the fields of a route', async () => {
    const app = create()
    app.register(postmarkContext, { fields: { tag: 'app' } })
    const postmark = (request: FastifyRequest) => ({
      metadata: { id: (request.params as { id: string }).id },
    })
    app.get('/users/:id', { config: { postmark } }, sendMail)
    await app.inject('/users/7')
    expect(lines()).toEqual([['X-PM-Tag: app', 'X-PM-Metadata-id: 7']])
  })

  it('reaches error handlers, the handler of unknown paths and onResponse hooks', async () => {
    const app = create()
    app.register(postmarkContext, { fields: (request) => ({ tag: request.url.slice(1) }) })
    app.setErrorHandler(sendMail)
    app.setNotFoundHandler(sendMail)
    app.get('/failing', async () => {
      throw new Error('a fault of the handler')
    })
    const responses: unknown[] = []
    app.addHook('onResponse', async () => {
      responses.push(currentPostmark())
    })
    await app.inject('/failing')
    await app.inject('/unknown')
    expect(lines()).toEqual([['X-PM-Tag: failing'], ['X-PM-Tag: unknown']])
    expect(responses).toEqual([{ tag: 'failing' }, { tag: 'unknown' }])
  })

  it('reaches a handler that answers by itself, after reply.hijack()', async () => {
    const app = create()
    app.register(postmarkContext, { fields: { tag: 'hijacked' } })
    app.get('/', (_request, reply) => {
      reply.hijack()
      setImmediate(async () => reply.raw.end(await sendMail()))
    })
    expect((await app.inject('/')).body).toBe('sent')
    expect(lines()).toEqual([['X-PM-Tag: hijacked']])
  })

  it.each(['onRequestAbort', 'onTimeout'] as const)(
    'has no scope where the socket calls a hook, %s, and capturePostmark keeps it',
    async (hook) => {
      const app = fastify()
      const outside = AsyncLocalStorage.snapshot()
      apps.push(app)
      app.register(postmarkContext, { fields: { tag: 'request' } })
      const reenters = new WeakMap<FastifyRequest, ReturnType<typeof capturePostmark>>()
      app.addHook('onRequest', async (request) => {
        reenters.set(request, capturePostmark())
      })
      const called = new Promise<unknown[]>((resolve) => {
        const look = async (request: FastifyRequest) =>
          resolve([currentPostmark(), reenters.get(request)?.(currentPostmark)])
        if (hook === 'onTimeout') app.addHook(hook, look)
        else app.addHook(hook, look)
      })
      const client = new AbortController()
      app.get('/', ({ raw }) => {
        if (hook === 'onRequestAbort') client.abort()
        // As `connectionTimeout` does, but not before the request is here.
        else outside(() => raw.socket.setTimeout(1))
        return new Promise(() => {})
      })
      const url = await app.listen({ port: 0, host: '127.0.0.1' })
      await expect(fetch(url, { signal: client.signal })).rejects.toThrow()
      expect(await called).toEqual([undefined, { tag: 'request' }])
    },
  )

  it('loses no email to a function that returns a promise, and warns', async () => {
    const app = create()
    app.register(postmarkContext, { fields: (async () => ({ tag: 'late' })) as never })
    app.get('/', sendMail)
    await app.inject('/')
    expect(lines()).toEqual([[]])
    expect(warnings).toMatchObject([{ path: 'context', found: 'returned a promise' }])
  })

  it.each<[string, unknown, string]>([
    ['an unknown field', { tga: 'signup' }, 'tga is not a Postmark field'],
    ['no fields', 'signup', 'is "signup"'],
    ['a number', 5, 'is 5'],
    ['a list', [], 'is an array of length 0'],
  ])(
    'leaves out, with a warning, what is wrong in a route that is declared before the plugin has loaded: %s',
    async (_title, postmark, found) => {
      const app = create()
      app.register(postmarkContext, { fields: { tag: 'app' } })
      app.get('/', { config: { postmark: postmark as object } }, sendMail)
      expect((await app.inject('/')).body).toBe('sent')
      expect(lines()).toEqual([['X-PM-Tag: app']])
      expect(warnings.map(({ path, found: what }) => `${path} ${what}`)).toEqual([
        expect.stringContaining(found),
      ])
    },
  )

  it('adds nothing to a request or to the instance', async () => {
    const app = create()
    const before = Object.keys(app)
    let keys: string[] = []
    app.get('/', async (request) => {
      keys = Object.keys(request)
      return 'ok'
    })
    await app.register(postmarkContext, { fields: { tag: 'app' } })
    expect(Object.keys(app)).toEqual(before)
    // So that another plugin can name it among its dependencies.
    expect(app.hasPlugin('@postmark-smtp/fastify')).toBe(true)
    await app.inject('/')
    const bare = create()
    let bareKeys: string[] = []
    bare.get('/', async (request) => {
      bareKeys = Object.keys(request)
      return 'ok'
    })
    await bare.inject('/')
    expect(keys).toEqual(bareKeys)
  })
})

describe('what is wrong in the code fails at start', () => {
  it.each<[string, unknown, string, RegExp]>([
    ['an unknown field', { fields: { tga: 'signup' } }, 'ERR_POSTMARK_FIELDS', /tga is not a Postmark field/],
    ['a tag that is too long', { fields: { tag: 'x'.repeat(1001) } }, 'ERR_POSTMARK_FIELDS', /1001 char/],
    ['no options', undefined, 'ERR_POSTMARK_OPTIONS', /Option fields is missing|Option fields is undefined/],
    ['fields in place of options', { tag: 'signup' }, 'ERR_POSTMARK_OPTIONS', /Unknown option "tag".*fields/],
    ['a prefix', { fields: {}, prefix: '/api' }, 'ERR_POSTMARK_OPTIONS', /Unknown option "prefix"/],
  ])('%s', async (_title, options, code, message) => {
    const app = create()
    app.register(postmarkContext, options as never)
    await expect(app.ready()).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it('the fields of a route that is declared after the plugin has loaded', async () => {
    const app = create()
    await app.register(postmarkContext, { fields: { tag: 'app' } })
    expect(() => app.get('/', { config: { postmark: { tga: 'x' } as object } }, sendMail)).toThrow(
      expect.objectContaining({ code: 'ERR_POSTMARK_FIELDS' }),
    )
  })

  it('a plugin that was called', async () => {
    const call = postmarkContext as unknown as (fields: object) => Promise<void>
    await expect(call({ tag: 'app' })).rejects.toMatchObject({
      name: 'PostmarkError',
      code: 'ERR_POSTMARK_OPTIONS',
      message:
        'postmarkContext is a Fastify plugin, but was called directly, or used as a hook or a handler. ' +
        'Register it: app.register(postmarkContext, { fields }).',
    })
  })

  it('a plugin that is used as a hook answers with an error that says so', async () => {
    const app = create()
    app.addHook('onRequest', postmarkContext as never)
    app.get('/', sendMail)
    const response = await app.inject('/')
    expect([response.statusCode, response.json().message]).toEqual([
      500,
      expect.stringContaining('Register it: app.register(postmarkContext, { fields }).'),
    ])
  })
})
