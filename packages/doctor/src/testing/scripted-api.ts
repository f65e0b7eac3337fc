import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Writes an answer of its own. */
type Answer = (response: ServerResponse) => void

/** Answers by path, without the query: a body, or a function that writes the answer; `*` for every path. */
export type Routes = Readonly<Record<string, object | Answer | undefined>>

/** What an API does otherwise than usual. */
export interface ApiNature {
  readonly serverToken: string
  readonly accountToken: string
  /** How far its clock is ahead. */
  readonly aheadMs?: number
  /** Whether it takes a connection and never answers. */
  readonly isSilent?: boolean
}

/** A running server of a test. */
export interface Running {
  readonly url: string
  close(): Promise<void>
}

/** An HTTP server on the loopback interface. */
export async function listen(answer: RequestListener): Promise<Running> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise<unknown>((resolve) => server.close(resolve))
    },
  }
}

/** A REST API with the answers of a test, which asks for the tokens as Postmark does. */
export async function startApi(
  routes: Routes,
  { serverToken, accountToken, aheadMs = 0, isSilent }: ApiNature,
): Promise<Running> {
  return listen((request, response) => {
    if (isSilent) return
    const path = new URL(request.url ?? '/', 'http://x').pathname
    const answer = routes[path] ?? routes['*']
    if (typeof answer === 'function') {
      answer(response)
      return
    }
    response.setHeader('Date', new Date(Date.now() + aheadMs).toUTCString())
    response.setHeader('Content-Type', 'application/json')
    const isOfAccount = /^\/(domains|senders|servers)/.test(path)
    const given = request.headers[isOfAccount ? 'x-postmark-account-token' : 'x-postmark-server-token']
    if (given !== (isOfAccount ? accountToken : serverToken))
      response.writeHead(401).end(JSON.stringify({ ErrorCode: 10, Message: `Bad token ${given}.` }))
    else if (answer !== undefined) response.end(JSON.stringify(answer))
    else response.writeHead(404).end(JSON.stringify({ ErrorCode: 1226, Message: 'Not found' }))
  })
}

/** The endpoint of an application: answers each post with one status. */
export async function startEndpoint(status: number): Promise<Running> {
  const { url, close } = await listen((_request, response) => void response.writeHead(status).end())
  return { url: `${url}/postmark`, close }
}
