import type { MailQueue } from '@postmark-smtp/bullmq'
import type { PostmarkTransporter } from '@postmark-smtp/core'
import { postmarkContext, postmarkWebhooks } from '@postmark-smtp/express'
import express, { type Application } from 'express'
import type { Telemetry } from './telemetry.js'

const addresses = { from: 'shop@example.com', to: 'ann@example.com' }

/** What the application uses to send, and the login for Postmark's webhooks. */
export interface AppParts {
  readonly telemetry: Telemetry
  readonly mails: MailQueue
  readonly transporter: PostmarkTransporter
  readonly webhookLogin: { readonly username: string; readonly password: string }
}

/** A shop. It sends a welcome during the request, and a receipt through the queue. It contains no code for spans. */
export function createApp({ telemetry, mails, transporter, webhookLogin }: AppParts): Application {
  const app = express()
  app.get('/metrics', telemetry.metrics)
  app.use(telemetry.traceRequests)
  app.post('/webhooks/postmark', postmarkWebhooks({ auth: { basic: webhookLogin }, on: {} }))
  app.post('/signup', postmarkContext({ tag: 'welcome' }), async (_req, res) => {
    await transporter.sendMail({ ...addresses, subject: 'Welcome', text: 'Hello' })
    res.status(201).end()
  })
  app.post('/orders/:id', postmarkContext({ tag: 'receipt' }), async (req, res) => {
    await mails.add({ ...addresses, subject: `Receipt ${req.params.id}`, text: 'Thank you' })
    res.status(202).end()
  })
  return app
}
