import { createPostmarkTransport, createSuppressionList, type FieldOrigins } from '@postmark-smtp/core'
import { type SandboxMail, startSandbox } from '@postmark-smtp/sandbox'
import type { RejectedEvent } from '@postmark-smtp/webhooks'
import { createApp, type Mailer } from './app.js'

/** Starts the service and a local Postmark, sends requests, and prints the responses and the emails that arrived. */
export async function main(
  print: (line: string) => void,
  report: (mail: SandboxMail, origins: FieldOrigins) => void = () => {},
): Promise<void> {
  await using sandbox = await startSandbox({ settings: { enableSmtpApiErrorHooks: true } })
  const suppressions = createSuppressionList()
  // In production: url: process.env.POSTMARK_URL
  const url = `${sandbox.url}&stream=outbound`
  const transporter = createPostmarkTransport({ url, correlationId: true, suppressions })
  const origins = new Map<string, FieldOrigins>()
  const mailer: Mailer = {
    verify: () => transporter.verify(),
    async sendMail(message) {
      const info = await transporter.sendMail(message)
      origins.set(String(message.subject), info.postmark.origins)
      return info
    },
  }
  const password = 'webhook-5e7a9c1b'
  const onRejected = ({ correlationId, errorCode, cause, cure }: RejectedEvent) =>
    print(`Rejected ${correlationId}: ${errorCode} ${cause} ${cure}`)
  const app = createApp(mailer, { password, suppressions, onRejected })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })

  const headers = { 'content-type': 'application/json', 'x-tenant': 'acme', authorization: 'Bearer u1' }
  const post = async (path: string, body: object) => {
    const response = await fetch(origin + path, { method: 'POST', headers, body: JSON.stringify(body) })
    print(`POST ${path}: ${response.status} ${await response.text()}`)
  }
  await post('/signup', { email: 'ann@example.com' })
  await post('/newsletter', { recipients: ['ann@example.com'] })

  // Postmark suppresses an address, which the service does not know yet: SMTP accepts the email, and a webhook reports it.
  sandbox.addWebhook({
    url: `${origin}/webhooks/postmark`,
    basicAuth: { username: 'postmark', password },
    triggers: { Bounce: { enabled: true, includeContent: true } },
  })
  sandbox.suppress('gone@example.com')
  await post('/signup', { email: 'gone@example.com' })
  await sandbox.advance(0)
  // Now the service knows.
  await post('/signup', { email: 'gone@example.com' })
  await app.close()
  await transporter.close()

  for (const mail of sandbox.outbox) {
    print(`${mail.subject}: ${JSON.stringify(mail.postmark)}`)
    report(mail, origins.get(mail.subject) ?? {})
  }
}

if (process.argv[1] === import.meta.filename) await main(console.log)
