import { createHash, timingSafeEqual } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import { auth } from 'hono/utils/basic-auth'
import { isLoopback, isWildcard } from '../smtp/loopback.js'
import { isApiRequest, TOKEN_HEADER } from './api/api.js'
import { isControlRequest } from './control/control-api.js'
import type { GuessBrake } from './guess-brake.js'

/**
 * Refuses a Host that does not name this server. A foreign page can make its own name point to 127.0.0.1 (DNS
 * rebinding), but its requests have that name. With a wildcard address, any name may be right. The password then keeps
 * such a page out, because the browser has no password for its name.
 */
export function checkHost(host: string): MiddlewareHandler {
  return async (c, next) => {
    const name = hostName(c)
    if (isLoopback(name) || name === host || isWildcard(host)) return next()
    return refuse(c, 421, `This server is not "${name}". Use its address or localhost.`)
  }
}

function hostName({ req }: Context): string {
  return (req.header('host') ?? '')
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
}

/**
 * Refuses what a page of another origin makes a browser send. Clients that are not browsers send no origin. From the
 * control API, such a page may not even read: it cannot see the response, but it can measure how long a wait takes.
 */
export const checkOrigin: MiddlewareHandler = async (c, next) => {
  const { method } = c.req
  const isRead = method === 'GET' || method === 'HEAD'
  const isHarmless = !isControlRequest(c.req.path) || c.req.header('sec-fetch-dest') === 'document'
  if ((isRead && isHarmless) || isSameOrigin(c)) return next()
  return refuse(c, 403, 'The request came from a page of another origin.')
}

/** Refuses a request, for the APIs in JSON and for the page as text. */
function refuse(c: Context, status: 403 | 421, Message: string): Response {
  const isForApi = isControlRequest(c.req.path) || isApiRequest(c.req)
  return isForApi ? c.json({ ErrorCode: status, Message }, status) : c.text(Message, status)
}

function isSameOrigin({ req }: Context): boolean {
  const site = req.header('sec-fetch-site')
  const origin = req.header('origin')
  if (site !== undefined) return site === 'same-origin' || (site === 'none' && origin === undefined)
  return origin === undefined || origin === `http://${req.header('host')}`
}

/** What comes with a request: the address of the client. */
export interface HttpEnv {
  readonly Bindings: { readonly address: string }
}

/** Asks browsers for the password; the user name does not matter. */
export function checkPassword(password: string, brake: GuessBrake): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const given = auth(c.req.raw)
    const guess = given && (await brake.check(c.env.address, () => isSame(given.password, password)))
    if (guess === 'right') return next()
    if (guess === 'busy') return c.text(TOO_MANY_GUESSES, 429, { 'Retry-After': '10' })
    return c.text('The inbox requires a password.', 401, CHALLENGE)
  }
}

/** Asks for the password as {@link checkPassword} does, or for a token of the REST API, and answers in JSON. */
export function checkControlAccess(
  password: string | undefined,
  accepts: (token: string) => boolean,
  brake: GuessBrake,
): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    if (password === undefined) return next()
    const token = c.req.header(TOKEN_HEADER)
    const given = auth(c.req.raw)?.password
    const isRight = () =>
      (given !== undefined && isSame(given, password)) || (token !== undefined && accepts(token))
    const isGuess = token !== undefined || given !== undefined
    const guess = isGuess ? await brake.check(c.env.address, isRight) : 'wrong'
    if (guess === 'right') return next()
    if (guess === 'busy')
      return c.json({ ErrorCode: 429, Message: TOO_MANY_GUESSES }, 429, { 'Retry-After': '10' })
    const Message = 'The sandbox requires a password. Send it as Basic auth, with any user name.'
    return c.json({ ErrorCode: 10, Message }, 401, CHALLENGE)
  }
}

const CHALLENGE = { 'WWW-Authenticate': 'Basic realm="Postmark sandbox", charset="UTF-8"' }
const TOO_MANY_GUESSES = 'Too many wrong passwords came from your address. Wait ten seconds.'

/** Compares in a time that reveals nothing. */
export function isSame(given: string, wanted: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(wanted))
}

/** Nothing of a sandbox is framed, sniffed, cached or sent elsewhere, unless the page sets its own headers. */
const HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'SAMEORIGIN',
}

/** Adds the headers that a response does not have. */
export const addHeaders: MiddlewareHandler = async (c, next) => {
  await next()
  for (const [name, value] of Object.entries(HEADERS)) if (!c.res.headers.has(name)) c.header(name, value)
}
