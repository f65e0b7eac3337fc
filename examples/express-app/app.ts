import {
  isPostmarkError,
  postmarkHealth,
  type SuppressionStore,
  type VerifiableTransporter,
} from '@postmark-smtp/core'
import { postmarkContext, postmarkWebhooks } from '@postmark-smtp/express'
import { type RejectedEvent, suppressFrom } from '@postmark-smtp/webhooks'
import express, { type Application, type ErrorRequestHandler, type RequestHandler } from 'express'
import type { SendMailOptions } from 'nodemailer'

declare global {
  namespace Express {
    interface Request {
      user?: { readonly id: string }
    }
  }
}

/** The parts of a transporter that the service uses. */
export interface Mailer extends VerifiableTransporter {
  sendMail(message: SendMailOptions): Promise<unknown>
}

/** What the service needs for Postmark's webhooks. */
export interface WebhookSettings {
  /** The URL at Postmark is https://postmark:PASSWORD@example.com/webhooks/postmark. */
  readonly password: string
  /** The store that the transporter checks before it sends. */
  readonly suppressions: SuppressionStore
  /** Called for each email that Postmark accepted with 250 and refused afterwards. */
  onRejected(event: RejectedEvent): void
}

/** A signup service. Functions that send mail do not name the tenant, the request or the user: the scope does. */
export function createApp(
  mailer: Mailer,
  { password, suppressions, onRejected }: WebhookSettings,
): Application {
  const health = postmarkHealth(mailer)
  const app = express()
  app.get('/health', async (_req, res) => {
    const result = await health()
    res.status(result.ok ? 200 : 503).json(result)
  })

  // Before express.json(), which answers a post of more than 100 KB with 413. Postmark drops such an event for good.
  app.post(
    '/webhooks/postmark',
    postmarkWebhooks({
      auth: { basic: { username: 'postmark', password } },
      on: { rejected: onRejected, any: (event) => suppressFrom(suppressions, event) },
    }),
  )

  app.use(
    postmarkContext((req) => ({
      tag: 'app',
      metadata: {
        tenant: req.get('x-tenant'),
        'request-id': req.get('x-request-id'),
        'user-id': req.user?.id, // set after this middleware; read when an email is sent
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

/** Called deep below the request: it knows only the email. */
async function sendWelcome(mailer: Mailer, to: string): Promise<void> {
  await mailer.sendMail({ from, to, subject: 'Welcome', text: 'Your account is ready.' })
}

async function sendNewsletter(mailer: Mailer, to: string): Promise<void> {
  await mailer.sendMail({ from, to, subject: 'News', text: 'What is new this month.' })
}

/** The fields of the message win over those of the scope. */
async function sendReset(mailer: Mailer, to: string): Promise<void> {
  const postmark = { tag: 'password-reset', trackLinks: 'None' } as const
  await mailer.sendMail({ from, to, subject: 'Reset your password', text: 'Follow the link.', postmark })
}

const authenticate: RequestHandler = (req, _res, next) => {
  const id = req.get('authorization')?.replace('Bearer ', '')
  if (id !== undefined) req.user = { id }
  next()
}

/** Errors that the client caused: an email that Postmark would bounce later, or an address known to be suppressed. */
const REFUSALS: readonly unknown[] = ['ERR_POSTMARK_PREFLIGHT', 'ERR_POSTMARK_SUPPRESSED']

/** Responds with all problems at once. */
const answerRefusal: ErrorRequestHandler = (error, _req, res, next) => {
  if (!isPostmarkError(error) || !REFUSALS.includes(error.code)) {
    next(error)
    return
  }
  res.status(422).json({ problems: error.problems.map(({ path, found, limit }) => ({ path, found, limit })) })
}
