import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import * as core from '@postmark-smtp/core'
import { type ContractRequest, runAdapterContract } from '@postmark-smtp/testing'
import { type Context, Hono } from 'hono'
import { stream as streaming } from 'hono/streaming'
import { postmarkContext } from './index.js'

interface Variables {
  user?: ContractRequest['user']
}

/** A request of Hono as the contract reads it. */
function toContractRequest(c: Context<{ Variables: Variables }>): ContractRequest {
  return {
    headers: c.req.header(),
    get user() {
      return c.get('user')!
    },
    set user(user) {
      c.set('user', user)
    },
  }
}

runAdapterContract({
  name: 'Hono',
  core,
  start: async ({ smtp, context, authenticate, routeFields, handle, stream }) => {
    const transporter = core.createPostmarkTransport(smtp.url)
    const app = new Hono<{ Variables: Variables }>()
    app.onError((error, c) => c.text(error.message, 500))
    app.use(
      postmarkContext((c: Context<{ Variables: Variables }>) => context(toContractRequest(c))),
      async (c, next) => {
        authenticate(toContractRequest(c))
        await next()
      },
    )
    const answer = async (c: Context, body?: unknown) => c.text(await handle(toContractRequest(c), body))
    app.get('/mail', (c) => answer(c))
    app.get('/route', postmarkContext(routeFields), (c) => answer(c))
    app.post('/json', async (c) => answer(c, await c.req.json()))
    app.post('/multipart', async (c) => answer(c, await c.req.parseBody()))
    app.get('/stream', (c) => streaming(c, (output) => stream((part) => output.write(part))))
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
    await once(server, 'listening')
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      sendMail: (message) => transporter.sendMail(message),
      async close() {
        server.close()
        if ('closeAllConnections' in server) server.closeAllConnections()
        await transporter.close()
      },
    }
  },
})
