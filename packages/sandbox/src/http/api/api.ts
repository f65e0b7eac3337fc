import type { Context, Hono, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { PostmarkServer } from '../../server/postmark-server.js'
import type { WebhookSender } from '../../webhooks/webhook-sender.js'
import { readBody } from './api-body.js'
import { API_CODES, apiError, toErrorResponse } from './api-error.js'
import { ApiQuery } from './api-query.js'
import type { ApiRequest, ApiRoute } from './api-route.js'
import { bounceRoutes } from './bounce-routes.js'
import { createJsonApp } from './json-app.js'
import { messageRoutes } from './message-routes.js'
import { serverRoutes } from './server-routes.js'
import { streamRoutes } from './stream-routes.js'
import { suppressionRoutes } from './suppression-routes.js'
import { webhookRoutes } from './webhook-routes.js'

/** What the API reads and changes, and who may. */
export interface ApiContext {
  readonly server: PostmarkServer
  readonly webhooks: WebhookSender
  /** The token that `GET /server` shows. */
  readonly token: string
  /** Whether a server token may use the API; `busy` if too many wrong ones came from the address. */
  accepts(token: string, address: string): Promise<'right' | 'wrong' | 'busy'>
}

/** What comes with a request: the address of the client. */
interface ApiEnv {
  readonly Bindings: { readonly address: string }
}

/** The header that the API is authenticated by. */
export const TOKEN_HEADER = 'X-Postmark-Server-Token'
/** The header of the calls that take the account token. The sandbox has no such token. */
const ACCOUNT_HEADER = 'X-Postmark-Account-Token'

const MOST_BODY_BYTES = 1_000_000
/** A path or method that does not exist. Postmark has no code for it (its 405 means that credits are used up). */
const NO_ROUTE = 404
const TOO_MANY = 429

/** The beginnings of all paths of Postmark's API. Each gets an answer in JSON, even if the sandbox does not have it. */
const ROOTS: ReadonlySet<string> = new Set([
  ...['bounces', 'data-removals', 'deliverystats', 'domains', 'email', 'message-streams', 'messages'],
  ...['senders', 'server', 'servers', 'stats', 'templates', 'triggers', 'webhooks'],
])

/** Whether a request is for the API, not for the page. */
export function isApiRequest(request: Context['req']): boolean {
  const root = request.path.split('/', 2)[1] ?? ''
  return (
    ROOTS.has(root.toLowerCase()) ||
    request.header(TOKEN_HEADER) !== undefined ||
    request.header(ACCOUNT_HEADER) !== undefined
  )
}

/** The REST subset of the sandbox. @see https://postmarkapp.com/developer/api/overview */
export function createApi(context: ApiContext): Hono<ApiEnv> {
  const { server, webhooks, token } = context
  const routes = [
    ...serverRoutes(server, token),
    ...streamRoutes(server),
    ...suppressionRoutes(server),
    ...bounceRoutes(server),
    ...messageRoutes(server),
    ...webhookRoutes(server, webhooks),
  ]
  const app = createJsonApp<ApiEnv>()
  const checked: MiddlewareHandler<ApiEnv> = async ({ req, env }, next) => {
    await checkToken(req, env.address, context)
    await next()
  }
  const limited = bodyLimit({
    maxSize: MOST_BODY_BYTES,
    onError: () => toErrorResponse(apiError(NO_ROUTE, 'The body is longer than 1 MB.', 413)),
  })
  for (const { method, path, handle } of routes) {
    app.on(method, path, checked, limited, async (c) => c.json((await handle(toApiRequest(c))) as object))
  }
  for (const path of new Set(routes.map((route) => route.path)))
    app.all(path, checked, (c) => refuseMethod(c, path, routes))
  app.notFound((c) => toErrorResponse(apiError(NO_ROUTE, describeMiss(c.req.path, routes), 404)))
  return app
}

/** Paths that take the account token. */
const ACCOUNT_PATH = /^\/(?:data-removals|domains|senders|servers|templates\/push)(?:\/|$)/i

async function checkToken(request: Context['req'], address: string, { accepts }: ApiContext): Promise<void> {
  const token = request.header(TOKEN_HEADER)
  if (!token) {
    const given = request.header(ACCOUNT_HEADER) === undefined ? 'no header' : `${ACCOUNT_HEADER}, but not`
    const message = `The request has ${given} ${TOKEN_HEADER}. Add it with the server token.`
    throw apiError(API_CODES.badToken, message, 401)
  }
  const guess = await accepts(token, address)
  if (guess === 'right') return
  if (guess === 'busy')
    throw apiError(TOO_MANY, 'Too many wrong tokens came from your address. Wait ten seconds.', 429)
  const message = `The Server Token you provided in the ${TOKEN_HEADER} request header was invalid. Please verify that you are using a valid token.`
  throw apiError(API_CODES.badToken, message, 401)
}

function toApiRequest({ req }: Context): ApiRequest {
  return {
    param: (name) => req.param(name) ?? '',
    query: new ApiQuery(new URL(req.url).searchParams, API_CODES.incompatibleJson),
    body: async () => readBody(await req.text()),
  }
}

function refuseMethod({ req }: Context, path: string, routes: readonly ApiRoute[]): Response {
  const methods = routes.filter((route) => route.path === path).map((route) => route.method)
  const allow = [...new Set(methods)].join(', ')
  const response = apiError(NO_ROUTE, `${path} accepts ${allow}, not ${req.method}.`, 405).getResponse()
  response.headers.set('Allow', allow)
  return response
}

function describeMiss(path: string, routes: readonly ApiRoute[]): string {
  if (/^\/email\b/.test(path)) {
    return 'The sandbox accepts mail only by SMTP. It leaves out the send endpoints of the API on purpose.'
  }
  if (ACCOUNT_PATH.test(path)) {
    return `The sandbox is one server and has no account, so it has no ${path}. Set its options with startSandbox().`
  }
  const calls = routes.map((route) => `${route.method} ${route.path}`)
  return `The sandbox has no ${path}. It has: ${calls.join(', ')}.`
}
