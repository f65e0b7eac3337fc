import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createPostmarkTransport, explainPostmark, type FieldOrigin } from '@postmark-smtp/core'
import { type SandboxMail, startSandbox } from '@postmark-smtp/sandbox'
import { createApp } from './app.js'

/** Starts the service and a local server, makes four requests, and prints where each field came from. */
export async function main(print: (line: string) => void): Promise<void> {
  await using sandbox = await startSandbox()
  // In production: createPostmarkTransport(process.env.POSTMARK_URL)
  const transporter = createPostmarkTransport(`${sandbox.url}&stream=outbound`)
  const origins = new Map<string, Origins>()
  const app = createApp({
    verify: () => transporter.verify(),
    sendMail(message) {
      origins.set(String(message.subject), explainPostmark(message))
      return transporter.sendMail(message)
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

  for (const mail of sandbox.outbox) {
    print(mail.subject)
    for (const line of toLines(mail, origins.get(mail.subject) ?? {})) print(`  ${line}`)
  }
  server.close()
  await transporter.close()
}

type Origins = Readonly<Record<string, FieldOrigin>>

/** The fields that the server read, each with the level that it came from. */
function toLines({ postmark }: SandboxMail, origins: Origins): string[] {
  const { metadata, ...others } = postmark
  const entries = Object.entries(metadata ?? {}).map(([key, value]) => [`metadata.${key}`, value] as const)
  return [...Object.entries(others), ...entries].map(
    ([field, value]) => `${field.padEnd(20)}${String(value).padEnd(16)}${nameLevel(field, origins)}`,
  )
}

/** The outermost scope is the application's; one within it is the route's. */
function nameLevel(field: string, origins: Origins): string {
  const level = origins[field]?.level
  if (level === undefined) return 'defaults'
  if (level === 'postmark') return 'message'
  return level === origins['metadata.tenant']?.level ? 'application' : 'route'
}

if (process.argv[1] === new URL(import.meta.url).pathname) await main(console.log)
