import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import * as core from '@postmark-smtp/core'
import { type ContractApp, runAdapterContract } from '@postmark-smtp/testing'
import { createTransport } from 'nodemailer'
import { postmark, runWithPostmark } from './index.js'

runAdapterContract({
  name: 'the Nodemailer plugin below a server of Node',
  core,
  start: async (contract) => {
    const { host, port } = contract.smtp
    const transporter = createTransport({
      host,
      port,
      ignoreTLS: true,
      auth: { user: 'any', pass: 'any' },
      pool: true,
    })
    transporter.use('compile', postmark())
    const server = createServer((request, response) => {
      const scope = () => contract.context(request)
      runWithPostmark(scope, () => answer(request, response, contract)).catch((error: Error) => {
        response.writeHead(500).end(error.message)
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      sendMail: (message) => transporter.sendMail(message),
      async close() {
        server.close()
        server.closeAllConnections()
        transporter.close()
      },
    }
  },
})

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { authenticate, handle, routeFields, stream }: ContractApp,
): Promise<void> {
  authenticate(request)
  switch (request.url) {
    case '/route':
      response.end(await runWithPostmark(routeFields, () => handle(request)))
      break
    case '/json':
      response.end(await handle(request, await readBody(request).json()))
      break
    case '/multipart':
      response.end(await handle(request, Object.fromEntries(await readBody(request).formData())))
      break
    case '/stream':
      await stream((part) => response.write(part))
      response.end()
      break
    default:
      response.end(await handle(request))
  }
}

function readBody(request: IncomingMessage): Response {
  const type = request.headers['content-type'] ?? ''
  return new Response(Readable.toWeb(request) as ReadableStream, { headers: { 'content-type': type } })
}
