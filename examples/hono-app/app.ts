import {
  isPostmarkError,
  postmarkHealth,
  type SuppressionStore,
  type VerifiableTransporter,
} from '@postmark-smtp/core'
import { postmarkContext, postmarkWebhooks } from '@postmark-smtp/hono'
import { type RejectedEvent, suppressFrom } from '@postmark-smtp/webhooks'
import { Hono } from 'hono'
import type { SendMailOptions } from 'nodemailer'

/** The variables of a request. */
interface Env {
  Variables: { user?: { readonly id: string } }
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
): Hono<Env> {
  const health = postmarkHealth(mailer)
  const app = new Hono<Env>()
  app.get('/health', async (c) => {
    const result = await health()
    return c.json(result, result.ok ? 200 : 503)
  })
  app.post(
    '/webhooks/postmark',
    postmarkWebhooks({
      auth: { basic: { username: 'postmark', password } },
      on: { rejected: onRejected, any: (event) => suppressFrom(suppressions, event) },
    }),
  )
  app.use(
    postmarkContext<Env>((c) => ({
      tag: 'app',
      metadata: {
        tenant: c.req.header('x-tenant'),
        'request-id': c.req.header('x-request-id'),
        'user-id': c.get('user')?.id, // set by the middleware below; read when an email is sent
      },
    })),
    async (c, next) => {
      const id = c.req.header('authorization')?.replace('Bearer ', '')
      if (id !== undefined) c.set('user', { id })
      await next()
    },
  )
  app.onError((error, c) => {
    if (!isPostmarkError(error) || !REFUSALS.includes(error.code)) throw error
    const problems = error.problems.map(({ path, found, limit }) => ({ path, found, limit }))
    return c.json({ problems }, 422)
  })

  app.post('/signup', postmarkContext({ tag: 'signup' }), async (c) => {
    const { email } = await c.req.json<{ email: string }>()
    await sendWelcome(mailer, email)
    return c.json({ signedUp: email }, 201)
  })
  app.post('/newsletter', postmarkContext({ messageStream: 'broadcast', tag: 'news' }), async (c) => {
    const { recipients } = await c.req.json<{ recipients: string[] }>()
    await Promise.all(recipients.map((to) => sendNewsletter(mailer, to)))
    return c.json({ sent: recipients.length })
  })
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

/** Errors that the client caused: an email that Postmark would bounce later, or an address known to be suppressed. */
const REFUSALS: readonly string[] = ['ERR_POSTMARK_PREFLIGHT', 'ERR_POSTMARK_SUPPRESSED']
