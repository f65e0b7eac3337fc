import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import type { FieldOrigins, PostmarkSentInfo, PostmarkTransporter } from '@postmark-smtp/core'
import { getPostmarkToken } from '@postmark-smtp/nestjs'
import { type SandboxMail, startSandbox } from '@postmark-smtp/sandbox'
import type { SendMailOptions } from 'nodemailer'
import { createAppModule } from './app.module.js'

const email = 'ann@example.com'

/** Starts a local Postmark and the application, plays some clients, and prints the fields that arrived. */
export async function main(
  print: (line: string) => void,
  report: (mail: SandboxMail, origins: FieldOrigins) => void = () => {},
): Promise<void> {
  await using sandbox = await startSandbox()
  const app = await NestFactory.create(createAppModule(sandbox.url), { logger: false })
  const origins = watchOrigins(app.get<PostmarkTransporter>(getPostmarkToken()))
  await app.listen(0, '127.0.0.1')
  const url = await app.getUrl()
  const post = async (path: string, tenant: string, body: object) => {
    const headers = {
      'content-type': 'application/json',
      authorization: 'Bearer u1',
      'x-tenant': tenant,
      'x-request-id': `req-${tenant}`,
    }
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    print(`POST ${path} (${tenant}): ${response.status} ${await response.text()}`.trimEnd())
  }

  await post('/signup', 'acme', { email })
  await post('/invite', 'umbrella', { email, note: 'Join us' })
  await post('/newsletter', 'initech', { email })
  await post('/invite', 'hooli', { email, note: 'x'.repeat(81) })
  await app.close()

  for (const mail of sandbox.outbox) {
    print(`${mail.subject}: ${JSON.stringify(mail.postmark)}`)
    report(mail, origins.get(mail.subject) ?? {})
  }
}

/** Notes which level each field of each mail comes from. */
function watchOrigins(transporter: PostmarkTransporter): ReadonlyMap<string, FieldOrigins> {
  const origins = new Map<string, FieldOrigins>()
  const send = transporter.sendMail.bind(transporter) as (
    message: SendMailOptions,
  ) => Promise<PostmarkSentInfo>
  const watched = async (message: SendMailOptions) => {
    const info = await send(message)
    origins.set(String(message.subject), info.postmark.origins)
    return info
  }
  Object.assign(transporter, { sendMail: watched })
  return origins
}

if (process.argv[1] === new URL(import.meta.url).pathname) await main(console.log)
