import type { IncomingMessage, ServerResponse } from 'node:http'
import { PostmarkError } from '@postmark-smtp/core/pure'
import type { WebhookHandler } from './webhook-handler.js'

/**
 * A request of Node, Express or Connect; `body` is what a parser in front has read, and `rawBody` the bytes of it,
 * which Nest keeps with `rawBody: true`.
 */
export type NodeRequest = IncomingMessage & { readonly body?: unknown; readonly rawBody?: unknown }

/** Answers a request of Node's HTTP server. */
export type NodeListener = (req: NodeRequest, res: ServerResponse) => Promise<void>

/**
 * Turns a handler into a listener of Node's HTTP server, and of what is built on it: Express, Connect.
 * Where a body parser comes before it, it takes what that has read.
 * @example createServer(toNodeListener(createWebhookHandler(options))).listen(3000)
 */
export function toNodeListener(handle: WebhookHandler): NodeListener {
  return async (req, res) => {
    // A parser that did not read the body may have put {} in its place.
    const body = req.readableDidRead ? (toBytes(req.rawBody) ?? req.body) : undefined
    const request = toRequest(req, body === undefined)
    const response = await handle(request, { remoteAddress: req.socket.remoteAddress, body })
    // Something else has answered meanwhile, such as a time limit.
    if (res.headersSent) return
    res.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text())
  }
}

/** The bytes are better than what a parser made of them: that has rounded an ID beyond 2^53. */
function toBytes(rawBody: unknown): Uint8Array | undefined {
  return rawBody instanceof Uint8Array ? rawBody : undefined
}

/** A Request refuses some methods, such as TRACE; which one it was does not matter then. */
function toRequest(req: IncomingMessage, withBody: boolean): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(req.headers))
    if (!name.startsWith(':')) headers.set(name, String(value))
  if (req.method !== 'POST') return new Request('http://localhost', { headers })
  const body = withBody ? { body: toBody(req), duplex: 'half' as const } : {}
  return new Request('http://localhost', { method: 'POST', headers, ...body })
}

/** Reads nothing before it is asked to, and never closes the connection: the reply goes over it. */
function toBody(req: IncomingMessage): ReadableStream<Uint8Array> {
  if (req.readableDidRead) return new ReadableStream({ start: (body) => body.error(lostBody()) })
  let finish = () => {}
  return new ReadableStream(
    {
      start(body) {
        finish = () => body.close()
        req.once('end', finish)
        req.once('error', (error) => body.error(error))
      },
      pull(body) {
        return new Promise((resolve) => {
          req.once('data', (chunk: Uint8Array) => {
            req.pause()
            body.enqueue(chunk)
            resolve()
          })
          req.resume()
        })
      },
      cancel() {
        req.off('end', finish)
        req.resume()
      },
    },
    { highWaterMark: 0 },
  )
}

function lostBody(): PostmarkError {
  return new PostmarkError(
    'ERR_POSTMARK_WEBHOOK',
    'Something in front has read the body, and left nothing in req.body.',
    { hint: 'Take the body parser away from this route, or use one that sets req.body.' },
  )
}
