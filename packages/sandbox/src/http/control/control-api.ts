import type { Hono, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { API_CODES, apiError, toErrorResponse } from '../api/api-error.js'
import { createJsonApp } from '../api/json-app.js'
import { readRequest } from './control-request.js'
import type { ControlRoute } from './control-route.js'
import { type ControlContext, controlRoutes } from './control-routes.js'

const MOST_BODY_BYTES = 1_000_000

/** Whether a request is for the control API. */
export function isControlRequest(path: string): boolean {
  return /^\/(?:health|ca\.pem|sandbox)(?:\/|$)/i.test(path)
}

/** What comes with a request: the address of the client. */
interface ControlEnv {
  readonly Bindings: { readonly address: string }
}

/**
 * Makes the control API.
 * @param guard asks for the password, if there is one; open routes are not guarded
 */
export function createControlApi(
  context: ControlContext,
  guard: MiddlewareHandler<ControlEnv>,
): Hono<ControlEnv> {
  const routes = controlRoutes(context)
  const app = createJsonApp<ControlEnv>()
  const limited = bodyLimit({
    maxSize: MOST_BODY_BYTES,
    onError: () => toErrorResponse(apiError(413, 'The body is longer than 1 MB.', 413)),
  })
  const pass: MiddlewareHandler<ControlEnv> = (_c, next) => next()
  for (const route of routes) {
    app.on(route.method, toPattern(route), route.isOpen ? pass : guard, limited, async (c) => {
      const { url, signal } = c.req.raw
      if (route.method === 'GET') refuseBody(c.req.raw.headers, route)
      const request = readRequest({
        route,
        query: new URL(url).searchParams,
        body: await c.req.text(),
        signal,
        pathPart: (name) => c.req.param(name) ?? '',
      })
      const answer = await route.handle(request)
      return answer instanceof Response ? answer : c.json(answer as object)
    })
  }
  app.use(guard)
  for (const route of routes) app.all(toPattern(route), (c) => refuseMethod(c.req.method, route, routes))
  app.notFound((c) => {
    const calls = routes.map(({ method, path }) => `${method} ${path}`).join(', ')
    return toErrorResponse(apiError(404, `The sandbox has no ${c.req.path}. It has: ${calls}.`, 404))
  })
  return app
}

/** Refuses a GET with a body. Its body is not read, so a match in it would otherwise match every email. */
function refuseBody(headers: Headers, { method, path }: ControlRoute): void {
  if ((headers.get('content-length') ?? '0') === '0' && !headers.has('transfer-encoding')) return
  const message = `${method} ${path} takes no body. Send its parameters in the query.`
  throw apiError(API_CODES.invalidRequest, message)
}

/** @example '/sandbox/mails/:messageid' */
function toPattern({ path }: ControlRoute): string {
  return path.toLowerCase().replace(/\{(\w+)\}/g, ':$1')
}

function refuseMethod(method: string, { path }: ControlRoute, routes: readonly ControlRoute[]): Response {
  const allow = routes.filter((route) => route.path === path).map((route) => route.method)
  const response = toErrorResponse(apiError(405, `${path} accepts ${allow.join(', ')}, not ${method}.`, 405))
  response.headers.set('Allow', allow.join(', '))
  return response
}
