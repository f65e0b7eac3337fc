import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import { PostmarkMailQueue } from '@postmark-smtp/bullmq/nestjs'
import type { FieldOrigins, PostmarkSentInfo, PostmarkTransporter } from '@postmark-smtp/core'
import { getPostmarkToken, type RejectedEvent } from '@postmark-smtp/nestjs'
import { type SandboxMail, startSandbox } from '@postmark-smtp/sandbox'
import { redisMissing, startRedis } from '@postmark-smtp/testing'
import type { SendMailOptions } from 'nodemailer'
import { createAppModule } from './app.module.js'
import { startWorker } from './worker.js'

const email = 'ann@example.com'

/**
 * Starts a local Postmark, Redis and the application, sends requests, and prints the fields that arrived. Without Redis,
 * it says so.
 */
export async function main(
  print: (line: string) => void,
  report: (mail: SandboxMail, origins: FieldOrigins) => void = () => {},
): Promise<void> {
  await using sandbox = await startSandbox({ settings: { enableSmtpApiErrorHooks: true } })
  const missing = redisMissing()
  await using redis = missing === undefined ? await startRedis() : undefined
  const redisUrl = redis?.path
  const webhookPassword = 'webhook-5e7a9c1b'
  const onRejected = ({ correlationId, errorCode, cause, cure }: RejectedEvent) =>
    print(`Rejected ${correlationId}: ${errorCode} ${cause} ${cure}`)
  const module = createAppModule({ url: sandbox.url, webhookPassword, redisUrl, onRejected })
  const app = await NestFactory.create<NestExpressApplication>(module, { logger: false })
  // Without this, a post of more than 100 KB is answered with 413, and Postmark drops that event for good.
  app.useBodyParser('json', { limit: '10mb' })
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

  // Postmark suppresses an address, which the application does not know yet: SMTP accepts the email, and a webhook reports it.
  sandbox.addWebhook({
    url: `${url}/webhooks/postmark`,
    basicAuth: { username: 'postmark', password: webhookPassword },
    triggers: { Bounce: { enabled: true, includeContent: true } },
  })
  sandbox.suppress('gone@example.com')
  await post('/signup', 'acme', { email: 'gone@example.com' })
  await sandbox.advance(0)
  // Now the application knows.
  await post('/signup', 'acme', { email: 'gone@example.com' })

  // Orders are answered before their emails are sent.
  if (redisUrl === undefined) print(`The queue is skipped. ${missing}`)
  else {
    await post('/orders/1', 'acme', { email })
    await post('/orders/2', 'umbrella', { email })
    await post('/orders/2', 'umbrella', { email })
    print(
      `${await app.get(PostmarkMailQueue).queue.getWaitingCount()} emails are waiting. Starting a worker.`,
    )
    const worker = await startWorker({ redisUrl, postmarkUrl: sandbox.url })
    for (const id of ['1', '2']) await sandbox.waitFor({ subject: `Receipt ${id}` }, { timeoutMs: 60_000 })
    await worker.close()
  }
  await app.close()

  for (const mail of sandbox.outbox) {
    print(`${mail.subject}: ${JSON.stringify(mail.postmark)}`)
    report(mail, origins.get(mail.subject) ?? {})
  }
}

/** Records which level each field of each email comes from. */
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

if (process.argv[1] === import.meta.filename) await main(console.log)
