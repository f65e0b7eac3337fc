import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createPostmarkTransport, type FieldOrigins } from '@postmark-smtp/core'
import { type SandboxMail, startSandbox } from '@postmark-smtp/sandbox'
import { createApp } from './app.js'

/** Starts the service and a local server, makes four requests, and prints what was received. */
export async function main(
  print: (line: string) => void,
  report: (mail: SandboxMail, origins: FieldOrigins) => void = () => {},
): Promise<void> {
  await using sandbox = await startSandbox()
  // In production: createPostmarkTransport(process.env.POSTMARK_URL)
  const transporter = createPostmarkTransport(`${sandbox.url}&stream=outbound`)
  const origins = new Map<string, FieldOrigins>()
  const app = createApp({
    verify: () => transporter.verify(),
    async sendMail(message) {
      const info = await transporter.sendMail(message)
      origins.set(String(message.subject), info.postmark.origins)
      return info
    },
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  const headers = { 'content-type': 'application/json', 'x-tenant': 'acme', authorization: 'Bearer u1' }
  const post = async (path: string, body: object) => {
    const init = { method: 'POST', headers, body: JSON.stringify(body) }
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init)
    print(`POST ${path}: ${response.status} ${await response.text()}`.trimEnd())
  }
  await post('/signup', { email: 'ann@example.com' })
  await post('/newsletter', { recipients: ['ann@example.com'] })
  await post('/password-reset', { email: 'ann@example.com' })
  await post('/signup', { email: 'j\u00fcrgen@example.com' })
  server.close()
  await transporter.close()

  for (const mail of sandbox.outbox) {
    print(`${mail.subject}: ${JSON.stringify(mail.postmark)}`)
    report(mail, origins.get(mail.subject) ?? {})
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) await main(console.log)
