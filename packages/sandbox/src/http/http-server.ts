import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Hono } from 'hono'
import { type Listener, portError } from '../smtp/listener.js'
import { type ApiContext, createApi, isApiRequest } from './api/api.js'
import { refuseBroken } from './broken-request.js'
import { createControlApi, isControlRequest } from './control/control-api.js'
import type { ControlContext } from './control/control-routes.js'
import { createGuessBrake } from './guess-brake.js'
import {
  addHeaders,
  checkControlAccess,
  checkHost,
  checkOrigin,
  checkPassword,
  type HttpEnv,
} from './http-guard.js'
import { toRequestListener } from './request-listener.js'

/** Where the server listens, and what it answers with. */
export interface HttpServerOptions {
  readonly address: string
  readonly port: number
  /** The password of the page; undefined if it has none. */
  readonly password: string | undefined
  readonly api: Omit<ApiContext, 'accepts'>
  readonly control: ControlContext
  /** Whether a server token may use the API. */
  accepts(token: string): boolean
  /** The inbox page. */
  readonly page: Hono
}

/**
 * Starts the HTTP server of a sandbox, for the API and the page.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS if the port cannot be used
 */
export async function listenHttp(options: HttpServerOptions): Promise<Listener> {
  const { address, port } = options
  const app = createHttpApp(options)
  const server = createServer(toRequestListener((request, address) => app.fetch(request, { address })))
  server.on('clientError', refuseBroken)
  try {
    server.listen(port, address)
    await once(server, 'listening')
  } catch (error) {
    throw portError(port, address, error)
  }
  let closing: Promise<void> | undefined
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      closing ??= new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      return closing
    },
  }
}

function createHttpApp({ address, password, api, control, accepts, page }: HttpServerOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>()
  // Page and API share one, because the password of the page is a token of the API.
  const brake = createGuessBrake()
  const rest = createApi({
    ...api,
    accepts: (token, client) => brake.check(client, () => accepts(token)),
  })
  app.use(addHeaders, checkHost(address), checkOrigin)
  const controlApi = createControlApi(control, checkControlAccess(password, accepts, brake))
  app.all('*', async (c, next) =>
    isControlRequest(c.req.path) ? controlApi.fetch(c.req.raw, c.env) : next(),
  )
  app.all('*', async (c, next) => (isApiRequest(c.req) ? rest.fetch(c.req.raw, c.env) : next()))
  if (password !== undefined) app.use(checkPassword(password, brake))
  app.all('*', (c) => page.fetch(c.req.raw))
  return app
}
