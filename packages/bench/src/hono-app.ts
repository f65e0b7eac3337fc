import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { postmarkContext } from '@postmark-smtp/hono'
import { Hono, type MiddlewareHandler } from 'hono'
import { answerParent } from './answer-parent.js'

/** A Hono application in its own process: `node dist/hono-app.js KIND`. */
const storage = new AsyncLocalStorage<object>()
const fixed = postmarkContext({ tag: 'app', metadata: { tenant: 'acme' } })
const late = postmarkContext((c) => ({ metadata: { path: c.req.path } }))
const middleware: Readonly<Record<string, MiddlewareHandler[]>> = {
  none: [],
  storage: [(_c, next) => storage.run({}, next)],
  function: [late],
  fields: [fixed],
  both: [late, fixed],
}

const app = new Hono()
for (const handler of middleware[process.argv[2] ?? 'none'] ?? []) app.use(handler)
app.get('/', async (c) => {
  await Promise.resolve()
  return c.text('ok')
})
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
await once(server, 'listening')
answerParent((server.address() as AddressInfo).port)
