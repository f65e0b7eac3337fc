import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** What is wrong with a request that reaches no route. */
const MESSAGES = {
  400: 'The request cannot be read. It must be HTTP/1.1, with a Host such as 127.0.0.1:8025, and its method must not be TRACE.',
  408: 'The request did not arrive completely in time.',
  431: 'The path and the headers together are longer than 16 KB. Shorten the query or the headers.',
} as const

/** The headers and the body of the response to such a request, in the format of the API. */
export function describeBroken(status: keyof typeof MESSAGES): BrokenAnswer {
  const body = JSON.stringify({ ErrorCode: status, Message: MESSAGES[status] })
  const headers = { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)) }
  return { headers: { ...headers, 'X-Content-Type-Options': 'nosniff' }, body }
}

interface BrokenAnswer {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Answers a request that Node's parser refused. Hangs up, whether or not the client does. */
export function refuseBroken({ code }: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable) return void socket.destroy()
  const status = code === 'HPE_HEADER_OVERFLOW' ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
  const { headers, body } = describeBroken(status)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n${lines.join('')}\r\n`
  socket.end(head + body, () => socket.destroy())
}
