import { lookup as lookUpName } from 'node:dns/promises'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import { isPublicAddress } from './public-address.js'

/** What came back for a link. */
export interface CheckedLink {
  readonly url: string
  /** The status of the last reply; undefined if there was none. */
  readonly status?: number
  /** Where redirects led. */
  readonly finalUrl?: string
  /** Why there is no reply, or why the link was not requested. */
  readonly error?: string
}

/** How links are checked. */
export interface LinkCheckOptions {
  /** Whether an address may be requested (default: public ones). */
  readonly isAllowed?: (address: string) => boolean
  /** Finds the addresses of a name. */
  readonly lookUp?: (hostname: string) => Promise<readonly string[]>
  /** Ends it early. */
  readonly signal?: AbortSignal
  /** Time for one link with its redirects (default 5000). */
  readonly timeoutMs?: number
}

/** The most links that are checked in one go. The others are reported as not checked. */
export const MOST_CHECKED = 50
const AT_ONCE = 8
const MOST_REDIRECTS = 5
const HEADERS = { 'User-Agent': 'postmark-smtp-sandbox (link check)', Accept: '*/*' }

/**
 * Requests links with HEAD, and with GET if HEAD gets an error. It reads no body. Each name is looked up once, and the
 * connection goes to the address that was checked, so that a name cannot point elsewhere a moment later. Each redirect
 * is checked like a link.
 */
export async function checkLinks(
  urls: readonly string[],
  options: LinkCheckOptions = {},
): Promise<CheckedLink[]> {
  const checked: CheckedLink[] = urls.map((url) => ({
    url,
    error: `not checked: only the first ${MOST_CHECKED} links are`,
  }))
  const waiting = urls.slice(0, MOST_CHECKED).entries()
  const work = async () => {
    for (const [index, url] of waiting) checked[index] = await checkLink(url, options)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return checked
}

async function checkLink(url: string, options: LinkCheckOptions): Promise<CheckedLink> {
  const { timeoutMs = 5000, signal } = options
  const timeout = AbortSignal.timeout(timeoutMs)
  const ends = AbortSignal.any([timeout, ...(signal ? [signal] : [])])
  try {
    const { status, at } = await followLink(url, options, ends)
    return { url, status, ...(at.href !== new URL(url).href && { finalUrl: at.href }) }
  } catch (error) {
    return { url, error: timeout.aborted ? `no reply within ${timeoutMs} ms` : describe(error) }
  }
}

async function followLink(
  url: string,
  options: LinkCheckOptions,
  signal: AbortSignal,
): Promise<{ status: number; at: URL }> {
  let at = new URL(url)
  for (let redirects = 0; ; redirects += 1) {
    if (at.protocol !== 'http:' && at.protocol !== 'https:')
      throw new Error(`not checked: it leads to ${at.protocol}`)
    const address = await pickAddress(at.hostname, options, signal)
    const { status, location } = await askTwice(at, address, signal)
    if (location === undefined) return { status, at }
    if (redirects === MOST_REDIRECTS) throw new Error(`more than ${MOST_REDIRECTS} redirects`)
    at = new URL(location, at)
  }
}

/** The address to connect to. All addresses of the name must be allowed. */
async function pickAddress(
  hostname: string,
  { isAllowed = isPublicAddress, lookUp = lookUpAll }: LinkCheckOptions,
  signal: AbortSignal,
): Promise<string> {
  // The URL has one spelling for each address: 2130706433 and 0x7f.1 have become 127.0.0.1.
  const literal = hostname.replace(/^\[|\]$/g, '')
  const addresses = isIP(literal) > 0 ? [literal] : await unlessAborted(lookUp(hostname), signal)
  const refused = addresses.find((address) => !isAllowed(address))
  if (refused !== undefined) throw new Error(`not checked: ${refused} is not a public address`)
  const [first] = addresses
  if (first === undefined) throw new Error('the host name has no address')
  return first
}

async function lookUpAll(hostname: string): Promise<string[]> {
  return (await lookUpName(hostname, { all: true })).map(({ address }) => address)
}

/** A look-up cannot be aborted, but the caller need not wait for it. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

interface Reply {
  readonly status: number
  readonly location: string | undefined
}

/** Some servers do not support HEAD, and answer with any status or hang up. */
async function askTwice(url: URL, address: string, signal: AbortSignal): Promise<Reply> {
  const reply = await ask('HEAD', url, address, signal).catch((error: unknown) => {
    if (signal.aborted || !isHangUp(error)) throw error
    return undefined
  })
  return reply !== undefined && reply.status < 400 ? reply : ask('GET', url, address, signal)
}

function isHangUp(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException
  return code === 'ECONNRESET' || code.startsWith('HPE_')
}

function ask(method: 'HEAD' | 'GET', url: URL, address: string, signal: AbortSignal): Promise<Reply> {
  const family = isIP(address)
  return new Promise((resolve, reject) => {
    const target = new URL(url)
    // Credentials in a link are not sent.
    target.username = ''
    target.password = ''
    const request = (target.protocol === 'https:' ? requestHttps : requestHttp)(target, {
      method,
      headers: HEADERS,
      signal,
      agent: false,
      lookup: (_name, { all }, done) =>
        all ? done(null, [{ address, family }]) : done(null, address, family),
    })
    request.once('error', reject)
    request.once('response', (response: IncomingMessage) => {
      const { statusCode: status = 0, headers } = response
      // A body may have any length, and is not needed.
      response.destroy()
      resolve({ status, location: status >= 300 && status < 400 ? headers.location : undefined })
    })
    request.end()
  })
}

function describe(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'ENOTFOUND' ? 'the host name has no address' : message || (code ?? 'no reply')
}
