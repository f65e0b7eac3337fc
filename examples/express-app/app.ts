import { isPostmarkError, postmarkHealth, type VerifiableTransporter } from '@postmark-smtp/core'
import { postmarkContext } from '@postmark-smtp/express'
import express, { type Application, type ErrorRequestHandler, type RequestHandler } from 'express'
import type { SendMailOptions } from 'nodemailer'

declare global {
  namespace Express {
    interface Request {
      user?: { readonly id: string }
    }
  }
}

/** What the service needs of a transporter. */
export interface Mailer extends VerifiableTransporter {
  sendMail(message: SendMailOptions): Promise<unknown>
}

/** A signup service. No function that sends a mail names a tenant, a request or a user: the scope does. */
export function createApp(mailer: Mailer): Application {
  const health = postmarkHealth(mailer)
  const app = express()
  app.get('/health', async (_req, res) => {
    const result = await health()
    res.status(result.ok ? 200 : 503).json(result)
  })

  app.use(
    postmarkContext((req) => ({
      tag: 'app',
      metadata: {
        tenant: req.get('x-tenant'),
        'request-id': req.get('x-request-id'),
        'user-id': req.user?.id, // set behind this middleware; read when a mail is sent
      },
    })),
    authenticate,
    express.json(),
  )
  app.post('/signup', postmarkContext({ tag: 'signup' }), async (req, res) => {
    await sendWelcome(mailer, req.body.email)
    res.status(201).json({ signedUp: req.body.email })
  })
  app.post('/newsletter', postmarkContext({ messageStream: 'broadcast', tag: 'news' }), async (req, res) => {
    const recipients: string[] = req.body.recipients
    await Promise.all(recipients.map((to) => sendNewsletter(mailer, to)))
    res.json({ sent: recipients.length })
  })
  app.post('/password-reset', async (req, res) => {
    await sendReset(mailer, req.body.email)
    res.status(202).end()
  })
  app.use(answerRefusal)
  return app
}

const from = 'accounts@example.com'

/** Far below the request: it knows the mail alone. */
async function sendWelcome(mailer: Mailer, to: string): Promise<void> {
  await mailer.sendMail({ from, to, subject: 'Welcome', text: 'Your account is ready.' })
}

async function sendNewsletter(mailer: Mailer, to: string): Promise<void> {
  await mailer.sendMail({ from, to, subject: 'News', text: 'What is new this month.' })
}

/** A mail may name fields of its own; they win over the scope. */
async function sendReset(mailer: Mailer, to: string): Promise<void> {
  const postmark = { tag: 'password-reset', trackLinks: 'None' } as const
  await mailer.sendMail({ from, to, subject: 'Reset your password', text: 'Follow the link.', postmark })
}

const authenticate: RequestHandler = (req, _res, next) => {
  const id = req.get('authorization')?.replace('Bearer ', '')
  if (id !== undefined) req.user = { id }
  next()
}

/** A mail that Postmark would have bounced later is the client's fault here: every problem at once. */
const answerRefusal: ErrorRequestHandler = (error, _req, res, next) => {
  if (!isPostmarkError(error) || error.code !== 'ERR_POSTMARK_PREFLIGHT') {
    next(error)
    return
  }
  res.status(422).json({ problems: error.problems.map(({ path, found, limit }) => ({ path, found, limit })) })
}
