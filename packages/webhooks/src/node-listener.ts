import type { IncomingMessage, ServerResponse } from 'node:http'
import { PostmarkError } from '@postmark-smtp/core/pure'
import type { WebhookHandler } from './webhook-handler.js'

/**
 * A request of Node, Express or Connect. `body` is what an earlier parser has read, and `rawBody` is its bytes, which
 * Nest keeps with `rawBody: true`.
 */
export type NodeRequest = IncomingMessage & { readonly body?: unknown; readonly rawBody?: unknown }

/** Answers a request of Node's HTTP server. */
export type NodeListener = (req: NodeRequest, res: ServerResponse) => Promise<void>

/**
 * Turns a handler into a listener for Node's HTTP server and for frameworks built on it, such as Express and Connect.
 * If a body parser comes before it, the listener uses what the parser has read.
 * @example createServer(toNodeListener(createWebhookHandler(options))).listen(3000)
 */
export function toNodeListener(handle: WebhookHandler): NodeListener {
  return async (req, res) => {
    // A parser that did not read the body may have set it to {}.
    const body = req.readableDidRead ? (toBytes(req.rawBody) ?? req.body) : undefined
    const request = toRequest(req, body === undefined)
    const response = await handle(request, { remoteAddress: req.socket.remoteAddress, body })
    // Something else has already answered, such as a time limit.
    if (res.headersSent) return
    res.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text())
  }
}

/** The bytes are better than the parsed body, in which an ID beyond 2^53 is rounded. */
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
    'Something has read the body before the webhook handler, and did not set req.body.',
    { hint: 'Remove the body parser from this route, or use one that sets req.body.' },
  )
}
