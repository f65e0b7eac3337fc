import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express5, { type ErrorRequestHandler, type RequestHandler } from 'express'
import express4 from 'express4'
import { describe, expect, it } from 'vitest'
import { postmarkContext, postmarkWebhooks, reenterPostmark } from './index.js'

/** What an application answers with this as its middleware, and the error that it met. */
async function answer(express: typeof express5, middleware: unknown): Promise<unknown> {
  const app = express()
  let met: unknown
  const seeError: ErrorRequestHandler = (error, _req, res, _next) => {
    met = error
    res.status(500).end()
  }
  app.use(middleware as RequestHandler, seeError)
  const server = app.listen(0, '127.0.0.1')
  try {
    await once(server, 'listening')
    await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    return met
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

describe.each([
  ['Express 4', express4 as unknown as typeof express5],
  ['Express 5', express5],
])('on %s', (_version, express) => {
  it.each<[string, unknown]>([
    ['postmarkContext', postmarkContext],
    ['reenterPostmark', reenterPostmark],
    ['postmarkWebhooks', postmarkWebhooks],
  ])('%s without its parentheses answers with an error that says so', async (name, middleware) => {
    const error = await answer(express, middleware)
    expect(error).toMatchObject({ name: 'PostmarkError', code: 'ERR_POSTMARK_OPTIONS' })
    expect((error as Error).message).toBe(
      `${name} returns the middleware, but was itself registered as the middleware. ` +
        `Call it when you register it: app.use(${name}(…)).`,
    )
  })
})

it.each([[undefined], [null]])(
  'postmarkContext refuses %s, which would leave emails without fields',
  (fields) => {
    expect(() => postmarkContext(fields as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_POSTMARK_OPTIONS',
        message: expect.stringContaining('Option fields'),
      }),
    )
  },
)
