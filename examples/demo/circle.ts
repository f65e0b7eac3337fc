import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createPostmarkTransport, createSuppressionList } from '@postmark-smtp/core'
import { createApp, type Mailer } from '@postmark-smtp/example-express-app/app'
import { startSandbox } from '@postmark-smtp/sandbox'

const password = 'webhook-5e7a9c1b'
const email = 'gone@example.com'

/** Follows one email from the request that sends it to the webhook that reports it, and back to the request. */
export async function runCircle(print: (line: string) => void): Promise<void> {
  await using sandbox = await startSandbox({ settings: { enableSmtpApiErrorHooks: true } })
  const suppressions = createSuppressionList()
  const transporter = createPostmarkTransport({ url: sandbox.url, correlationId: true, suppressions })
  /** Takes the place of the log or table in which an application records what it has sent. */
  const requests = new Map<string | undefined, string | undefined>()
  const mailer: Mailer = {
    verify: () => transporter.verify(),
    async sendMail(message) {
      const { response, postmark } = await transporter.sendMail(message)
      const { correlationId, metadata } = postmark
      requests.set(correlationId, metadata?.['request-id'] ?? undefined)
      print(`2. SMTP      ${response}; preflight found no problems; correlation ID ${correlationId}`)
    },
  }
  const told: string[] = []
  const app = createApp(mailer, {
    password,
    suppressions,
    onRejected({ correlationId, errorCode, cause, cure }) {
      told.push(
        `4. handler   ${correlationId} belongs to request ${requests.get(correlationId)}: error ${errorCode}`,
      )
      told.push(`             ${cause} ${cure}`)
    },
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const triggers = { Bounce: { enabled: true, includeContent: true } }
  const basicAuth = { username: 'postmark', password }
  sandbox.addWebhook({ url: `${origin}/webhooks/postmark`, triggers, basicAuth })
  sandbox.suppress(email)

  print('The round trip of an email that Postmark refuses after its 250, because the address is suppressed:')
  print(`1. request   r-17: POST /signup for ${email}`)
  const headers = { 'content-type': 'application/json', 'x-request-id': 'r-17' }
  await fetch(`${origin}/signup`, { method: 'POST', headers, body: JSON.stringify({ email }) })
  await sandbox.advance(0)
  for (const { recordType, status } of sandbox.webhooks.attempts)
    print(`3. webhook   Postmark posts a ${recordType} and gets ${status}`)
  for (const line of told) print(line)

  server.close()
  await transporter.close()
}
