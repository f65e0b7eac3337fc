import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'

/** One post. */
export interface HttpPost {
  readonly url: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  /** Ends it early. */
  readonly signal: AbortSignal
}

/** What came back: a status, or why there is none. */
export interface HttpReply {
  readonly status?: number
  readonly error?: string
}

/** Postmark follows as many redirects. The last reply counts. */
const MOST_REDIRECTS = 10

/** Posts and resolves with what came back. It never rejects. */
export async function sendPost(post: HttpPost): Promise<HttpReply> {
  const timeout = AbortSignal.timeout(post.timeoutMs)
  const signal = AbortSignal.any([timeout, post.signal])
  try {
    let hop: Hop = { method: 'POST', url: new URL(post.url), headers: post.headers, body: post.body }
    for (let redirects = 0; ; redirects += 1) {
      const { status, location } = await send(hop, signal)
      if (location === undefined || redirects === MOST_REDIRECTS) return { status }
      hop = follow(hop, status, location)
    }
  } catch (error) {
    return { error: timeout.aborted ? `no reply within ${post.timeoutMs} ms` : describe(error) }
  }
}

interface Hop {
  readonly method: 'POST' | 'GET'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

interface Answer {
  readonly status: number
  readonly location: string | undefined
}

function send({ method, url, headers, body }: Hop, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // Each post has its own connection. A kept one may close when the post is sent, which is not the receiver's fault.
    const options = { method, headers, signal, agent: false }
    const request: ClientRequest = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options)
    request.once('error', reject)
    request.once('response', (response: IncomingMessage) => {
      const { statusCode: status = 0 } = response
      const location = status >= 300 && status < 400 ? response.headers.location : undefined
      // The body does not matter, but the reply is complete only at its end.
      response.once('end', () => resolve({ status, location }))
      response.once('error', reject)
      response.resume()
    })
    request.end(body)
  })
}

/** The next request, as .NET's client makes it, and presumably Postmark: only 307 and 308 keep the POST. */
function follow(hop: Hop, status: number, location: string): Hop {
  const url = new URL(location, hop.url)
  if (!/^https?:$/.test(url.protocol)) throw new Error('redirected to a URL that is not http or https')
  const keep = status === 307 || status === 308
  // Credentials are sent only to the host that they were given for.
  const headers = url.origin === hop.url.origin ? hop.headers : withoutSecrets(hop.headers)
  if (keep) return { ...hop, url, headers }
  const { 'Content-Type': _type, 'Content-Length': _length, ...rest } = headers
  return { method: 'GET', url, headers: rest, body: '' }
}

const PUBLIC_HEADERS = ['Content-Type', 'Content-Length', 'User-Agent']

function withoutSecrets(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => PUBLIC_HEADERS.includes(name)))
}

function describe(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException
  return message || code || String(error)
}
