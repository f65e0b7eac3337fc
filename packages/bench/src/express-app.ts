import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { postmarkContext } from '@postmark-smtp/express'
import express, { type RequestHandler } from 'express'
import { answerParent } from './answer-parent.js'

/** An Express application in its own process: `node dist/express-app.js KIND`. */
const storage = new AsyncLocalStorage<object>()
const fixed = postmarkContext({ tag: 'app', metadata: { tenant: 'acme' } })
const late: RequestHandler = postmarkContext((req) => ({ metadata: { path: req.path } }))
const middleware: Readonly<Record<string, RequestHandler[]>> = {
  none: [],
  storage: [(_req, _res, next) => storage.run({}, next)],
  function: [late],
  fields: [fixed],
  both: [late, fixed],
}

const app = express()
for (const handler of middleware[process.argv[2] ?? 'none'] ?? []) app.use(handler)
app.get('/', async (_req, res) => {
  await Promise.resolve()
  res.send('ok')
})
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
answerParent((server.address() as AddressInfo).port)
