import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { attachPostmark, type PostmarkProblem } from '@postmark-smtp/core'
import { startSmtpServer } from '@postmark-smtp/testing'
import express5 from 'express'
import express4, { type RequestHandler } from 'express4'
import multer1 from 'multer1'
import { createTransport } from 'nodemailer'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest'
import {
  currentPostmark,
  postmarkContext,
  type RequestLike,
  reenterPostmark,
  updatePostmark,
} from './index.js'

let smtp: Awaited<ReturnType<typeof startSmtpServer>>
const warnings: PostmarkProblem[] = []
let transporter: { sendMail(message: object): Promise<unknown>; close(): void }
beforeAll(async () => {
  smtp = await startSmtpServer({ auth: 'none', tls: false })
  const { host, port } = smtp
  transporter = attachPostmark(createTransport({ host, port, pool: true }), {
    onWarning: (warning) => warnings.push(warning),
  })
})
afterAll(async () => {
  transporter.close()
  await smtp.close()
})
beforeEach(() => {
  smtp.clear()
  warnings.length = 0
})

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})
/** Serves an application on a free port, and asks it once. */
async function ask(app: RequestListener, path: string, init: RequestInit = {}): Promise<Response> {
  const server = createServer(app).listen(0, '127.0.0.1')
  closing.push(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  return fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, init)
}

const send = () =>
  transporter.sendMail({ from: 'a@example.com', to: 'b@example.com', subject: 'Hi', text: 'Hi' })
const sendMail = (_req: object, res: { end(): unknown }, next: (error: unknown) => void) => {
  send().then(() => res.end(), next)
}
const lines = () => smtp.mails.map((mail) => mail.headerLines.filter((line) => /^x-pm-/i.test(line)))

describe('postmarkContext', () => {
  it('merges the fields of application, router and route; the innermost wins', async () => {
    const router = express5.Router()
    router.use(postmarkContext({ tag: 'router', metadata: { router: 'yes' } }))
    router.get('/mail', postmarkContext({ tag: 'route', metadata: { route: 'yes' } }), sendMail)
    const app = express5().use(postmarkContext({ tag: 'app', metadata: { app: 'yes' }, keepId: true }))
    await ask(app.use('/api', router), '/api/mail')
    expect(lines()).toEqual([
      [
        'X-PM-Tag: route',
        'X-PM-Metadata-app: yes',
        'X-PM-Metadata-router: yes',
        'X-PM-Metadata-route: yes',
        'X-PM-KeepID: true',
      ],
    ])
  })

  it('gives a function the request of Express 5, and of Express 4', async () => {
    const modern = express5().use(
      postmarkContext((req) => ({ tag: req.get('x-tag'), trackOpens: req.fresh })),
    )
    const old = express4().use(postmarkContext((req) => ({ tag: req.get('x-tag') })))
    const route = express5().get(
      '/users/:id',
      postmarkContext((req) => ({ tag: req.get('x-tag'), metadata: { id: String(req.params.id) } })),
      sendMail,
    )
    const oldRoute = express4().get(
      '/users/:id',
      postmarkContext<express4.Request>((req) => ({ tag: req.acceptsLanguages()[0] })),
      sendMail,
    )
    await ask(modern.use(sendMail), '/', { headers: { 'x-tag': 'five' } })
    await ask(old.use(sendMail), '/', { headers: { 'x-tag': 'four' } })
    await ask(route, '/users/7', { headers: { 'x-tag': 'route' } })
    await ask(oldRoute, '/users/8', { headers: { 'accept-language': 'de' } })
    expect(lines()).toEqual([
      ['X-PM-Tag: five', 'X-PM-TrackOpens: false'],
      ['X-PM-Tag: four'],
      ['X-PM-Tag: route', 'X-PM-Metadata-id: 7'],
      ['X-PM-Tag: de'],
    ])
  })

  it('tells TypeScript the request of each major, and nothing about other handlers', async () => {
    express5().use(postmarkContext((req) => void expectTypeOf(req).toEqualTypeOf<express5.Request>()))
    express4().use(postmarkContext((req) => void expectTypeOf(req).toEqualTypeOf<express4.Request>()))
    const read = (req: RequestLike) => ({ tag: req.get('x-tag') })
    express5().post('/:id', postmarkContext(read), postmarkContext({ tag: 'a' }), (req) => {
      expectTypeOf(req.params).toEqualTypeOf<{ id: string }>()
      expectTypeOf(req.body).toBeAny()
    })
    express4().post('/:id', postmarkContext(read), postmarkContext({ tag: 'a' }), (req) => {
      expectTypeOf(req.params).toEqualTypeOf<{ id: string }>()
      expectTypeOf(req.body).toBeAny()
    })
  })

  it('calls a function once per email, and not for a request without mail', async () => {
    let calls = 0
    const app = express5().use(postmarkContext(() => ({ tag: `call ${++calls}` })))
    app.get('/none', (_req, res) => void res.end())
    app.get('/two', async (_req, res) => {
      await send()
      await send()
      res.end()
    })
    await ask(app, '/none')
    expect(calls).toBe(0)
    await ask(app, '/two')
    expect(lines()).toEqual([['X-PM-Tag: call 1'], ['X-PM-Tag: call 2']])
  })

  it('loses no email to a function that returns a promise, and says so', async () => {
    const app = express5().use(postmarkContext((async () => ({ tag: 'late' })) as never))
    await ask(app.use(sendMail), '/')
    expect(lines()).toEqual([[]])
    expect(warnings).toMatchObject([{ path: 'context', found: 'returned a promise' }])
  })

  it('reaches error handlers', async () => {
    const app = express5().use(postmarkContext({ tag: 'failed' }))
    app.get('/', async () => {
      throw new Error('a fault of the handler')
    })
    app.use(((_error, req, res, next) => sendMail(req, res, next)) as express5.ErrorRequestHandler)
    await ask(app, '/')
    expect(lines()).toEqual([['X-PM-Tag: failed']])
  })

  it.each([
    [{ tga: 'signup' }, /tga is not a Postmark field/],
    [{ tag: 'x'.repeat(1001) }, /1001 characters/],
    ['signup', /object of Postmark fields/],
  ])('refuses the fields %o at once', (fields, message) => {
    expect(() => postmarkContext(fields as object)).toThrow(
      expect.objectContaining({ code: 'ERR_POSTMARK_FIELDS', message: expect.stringMatching(message) }),
    )
  })
})

describe('reenterPostmark', () => {
  const multipart = () => {
    const body = new FormData()
    body.set('file', new Blob(['x'.repeat(300_000)]), 'file.txt')
    return { method: 'POST', body }
  }
  const add: RequestHandler = (_req, _res, next) => {
    updatePostmark({ metadata: { added: 'before the parser' } })
    next()
  }
  const parse = multer1().single('file') as never as RequestHandler
  const upload = (...behind: RequestHandler[]) =>
    express4()
      .use(postmarkContext({ tag: 'app' }))
      .post('/', postmarkContext({ tag: 'upload' }), add, parse, ...behind, sendMail)

  it('is needed after multer 1 on Express 4, which loses the scope', async () => {
    await ask(upload(), '/', multipart())
    expect(lines()).toEqual([[]])
  })

  it('brings back the innermost scope, with what was added to it', async () => {
    await ask(upload(reenterPostmark()), '/', multipart())
    expect(lines()).toEqual([['X-PM-Tag: upload', 'X-PM-Metadata-added: before the parser']])
  })

  it('leaves a scope alone that was not lost', async () => {
    const app = express5().use(postmarkContext({ tag: 'app' }), reenterPostmark())
    await ask(app.use(sendMail), '/')
    expect(lines()).toEqual([['X-PM-Tag: app']])
  })

  it('does nothing without a scope', async () => {
    const app = express5().use(reenterPostmark(), (_req, res) => void res.json(currentPostmark() ?? 'none'))
    expect(await (await ask(app, '/')).json()).toBe('none')
  })
})
