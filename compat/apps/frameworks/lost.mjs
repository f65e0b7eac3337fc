/** What docs/frameworks.md says is lost: which callbacks of each framework run without the scope of their request. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { currentPostmark, runWithPostmark } from '@postmark-smtp/core'
import { initTRPC } from '@trpc/server'
import { createHTTPHandler } from '@trpc/server/adapters/standalone'
import { H3, onError, onResponse } from 'h3'
import { toNodeHandler } from 'h3/node'
import Koa from 'koa'

const fields = { tag: 'request' }

/** Serves one request, with a body longer than one read of a socket, and waits for what is noted. */
async function ask(listener, noted, path = '/') {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const init = { method: 'POST', body: JSON.stringify({ filler: 'x'.repeat(300_000) }) }
  const url = `http://127.0.0.1:${server.address().port}${path}`
  await (await fetch(url, { ...init, headers: { 'content-type': 'application/json' } })).text()
  await Promise.all(noted)
  server.close()
  server.closeAllConnections()
}

/** Notes whether the scope is open where the callback is called. */
function note(seen, name) {
  let resolve
  const promise = new Promise((done) => {
    resolve = done
  })
  const callback = () => {
    seen[name] ??= currentPostmark()?.tag === 'request' ? 'kept' : 'lost'
    resolve()
  }
  return [callback, promise]
}
export async function findLost() {
  const seen = {}
  const [end, endSeen] = note(seen, 'http: req.on(end)')
  const [awaited, awaitedSeen] = note(seen, 'http: after await')
  await ask(
    (req, res) =>
      runWithPostmark(fields, async () => {
        req.resume().on('end', end)
        await once(req, 'end')
        awaited()
        res.end()
      }),
    [endSeen, awaitedSeen],
  )

  const koa = new Koa()
  const [koaError, koaErrorSeen] = note(seen, 'koa: app.on(error)')
  koa.on('error', koaError)
  koa.use((_ctx, next) => runWithPostmark(fields, next))
  koa.use(async () => {
    await null
    throw new Error('a fault')
  })
  await ask(koa.callback(), [koaErrorSeen])

  const [h3Response, h3ResponseSeen] = note(seen, 'h3: onResponse')
  const [h3Error, h3ErrorSeen] = note(seen, 'h3: onError')
  const app = new H3({ silent: true, onResponse: h3Response, onError: h3Error })
  app.use((_event, next) => runWithPostmark(fields, next))
  app.post('/', async () => {
    await null
    throw new Error('a fault')
  })
  await ask(toNodeHandler(app), [h3ResponseSeen, h3ErrorSeen])
  const [asMiddleware, asMiddlewareSeen] = note(seen, 'h3: onResponse() as a middleware')
  const [errorMiddleware, errorMiddlewareSeen] = note(seen, 'h3: onError() as a middleware')
  const second = new H3({ silent: true })
  second.use((_event, next) => runWithPostmark(fields, next))
  second.use(onResponse(asMiddleware))
  second.post('/', async () => 'ok')
  await ask(toNodeHandler(second), [asMiddlewareSeen])
  const third = new H3({ silent: true })
  third.use((_event, next) => runWithPostmark(fields, next))
  third.use(onError(errorMiddleware))
  third.post('/', async () => {
    await null
    throw new Error('a fault')
  })
  await ask(toNodeHandler(third), [errorMiddlewareSeen])

  const [trpcError, trpcErrorSeen] = note(seen, 'trpc: onError')
  const [responseMeta, responseMetaSeen] = note(seen, 'trpc: responseMeta')
  const t = initTRPC.create()
  const router = t.router({
    fail: t.procedure
      .use(({ next }) => runWithPostmark(fields, next))
      .mutation(async () => {
        throw new Error('a fault')
      }),
  })
  const handler = createHTTPHandler({
    router,
    onError: trpcError,
    responseMeta() {
      responseMeta()
      return {}
    },
  })
  await ask(handler, [trpcErrorSeen, responseMetaSeen], '/fail')
  return seen
}
