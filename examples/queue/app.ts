import type { MailQueue } from '@postmark-smtp/bullmq'
import { postmarkContext } from '@postmark-smtp/express'
import express, { type Application } from 'express'

/** A shop that answers as soon as the email is in the queue. The email still carries the tenant of the request. */
export function createApp(mails: MailQueue): Application {
  const app = express()
  app.use(postmarkContext((req) => ({ tag: 'receipt', metadata: { tenant: req.get('x-tenant') } })))
  app.post('/orders/:id', async (req, res) => {
    const { id } = req.params
    const mail = {
      from: 'shop@example.com',
      to: 'ann@example.com',
      subject: `Receipt ${id}`,
      text: 'Thank you',
    }
    // A customer who clicks twice gets only one receipt.
    await mails.add(mail, { idempotencyKey: `receipt-${id}` })
    res.status(202).end()
  })
  return app
}
