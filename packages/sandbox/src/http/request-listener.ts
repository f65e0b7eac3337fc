import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describeBroken } from './broken-request.js'

/** @param address of the client */
type Answer = (request: Request, address: string) => Response | Promise<Response>

/** Answers requests of `node:http` with a function from `Request` to `Response`, as Hono's applications are. */
export function toRequestListener(answer: Answer): RequestListener {
  return (incoming, outgoing) => {
    respond(incoming, outgoing, answer).catch(() => outgoing.destroy())
  }
}

async function respond(incoming: IncomingMessage, outgoing: ServerResponse, answer: Answer): Promise<void> {
  const request = toRequest(incoming, outgoing)
  if (request === undefined) {
    const { headers, body } = describeBroken(400)
    outgoing.writeHead(400, headers).end(body)
    return
  }
  const { status, headers, body } = await answer(request, incoming.socket.remoteAddress ?? '')
  const entries = [...headers].filter(([name]) => name !== 'set-cookie')
  outgoing.writeHead(
    status,
    [...entries, ...headers.getSetCookie().map((value) => ['set-cookie', value])].flat(),
  )
  // A page that asks for live updates learns that the connection is open before anything changes.
  outgoing.flushHeaders()
  if (body === null) outgoing.end()
  else await pipeline(Readable.fromWeb(body as import('node:stream/web').ReadableStream), outgoing)
}

/** Undefined for what a `Request` cannot express: a broken Host or path, or the method TRACE. */
function toRequest(incoming: IncomingMessage, outgoing: ServerResponse): Request | undefined {
  const { method = 'GET', url = '/', headers, rawHeaders } = incoming
  const gone = new AbortController()
  outgoing.once('close', () => gone.abort())
  try {
    const entries: [string, string][] = []
    for (let index = 0; index < rawHeaders.length; index += 2) {
      entries.push([rawHeaders[index]!, rawHeaders[index + 1]!])
    }
    const base = new URL(`http://${headers.host}`)
    // Otherwise, the first part of a path that begins with two slashes would be read as a host.
    return new Request(new URL(url.startsWith('//') ? base.origin + url : url, base), {
      method,
      headers: entries,
      signal: gone.signal,
      ...(method !== 'GET' &&
        method !== 'HEAD' && { body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' }),
    })
  } catch {
    return undefined
  }
}
