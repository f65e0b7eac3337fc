import { AsyncLocalStorage } from 'node:async_hooks'
import type { AddressInfo } from 'node:net'
import { postmarkContext } from '@postmark-smtp/fastify'
import fastify from 'fastify'
import { answerParent } from './answer-parent.js'

/** A Fastify application in its own process: `node dist/fastify-app.js KIND`. */
const kind = process.argv[2] ?? 'none'
const storage = new AsyncLocalStorage<object>()
const fixed = { tag: 'app', metadata: { tenant: 'acme' } }
const app = fastify()
if (kind === 'storage') app.addHook('onRequest', (_request, _reply, done) => storage.run({}, done))
if (kind === 'function' || kind === 'both')
  app.register(postmarkContext, { fields: (request) => ({ metadata: { path: request.url } }) })
if (kind === 'fields') app.register(postmarkContext, { fields: fixed })
app.get('/', { config: kind === 'both' ? { postmark: fixed } : {} }, async () => {
  await Promise.resolve()
  return 'ok'
})
await app.listen({ port: 0, host: '127.0.0.1' })
answerParent((app.server.address() as AddressInfo).port)
