import {
  isPostmarkError,
  postmarkHealth,
  type SuppressionStore,
  type VerifiableTransporter,
} from '@postmark-smtp/core'
import { postmarkContext, postmarkWebhooks } from '@postmark-smtp/fastify'
import { type RejectedEvent, suppressFrom } from '@postmark-smtp/webhooks'
import fastify, { type FastifyError, type FastifyInstance } from 'fastify'
import type { SendMailOptions } from 'nodemailer'

declare module 'fastify' {
  interface FastifyRequest {
    user?: { readonly id: string }
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
): FastifyInstance {
  const health = postmarkHealth(mailer)
  const app = fastify()
  app.get('/health', async (_request, reply) => {
    const result = await health()
    return reply.code(result.ok ? 200 : 503).send(result)
  })
  app.register(postmarkWebhooks, {
    auth: { basic: { username: 'postmark', password } },
    on: { rejected: onRejected, any: (event) => suppressFrom(suppressions, event) },
  })
  app.register(postmarkContext, {
    fields: ({ headers, user }) => ({
      tag: 'app',
      metadata: {
        tenant: headers['x-tenant']?.toString(),
        'request-id': headers['x-request-id']?.toString(),
        'user-id': user?.id, // set by the hook below; read when an email is sent
      },
    }),
  })
  app.addHook('preHandler', async (request) => {
    const id = request.headers.authorization?.replace('Bearer ', '')
    if (id !== undefined) request.user = { id }
  })
  app.setErrorHandler<FastifyError>((error, _request, reply) => {
    if (!isPostmarkError(error) || !REFUSALS.includes(error.code)) throw error
    const problems = error.problems.map(({ path, found, limit }) => ({ path, found, limit }))
    return reply.code(422).send({ problems })
  })

  app.post<{ Body: { email: string } }>(
    '/signup',
    { config: { postmark: { tag: 'signup' } } },
    async ({ body }, reply) => {
      await sendWelcome(mailer, body.email)
      return reply.code(201).send({ signedUp: body.email })
    },
  )
  app.post<{ Body: { recipients: string[] } }>(
    '/newsletter',
    { config: { postmark: { messageStream: 'broadcast', tag: 'news' } } },
    async ({ body }) => {
      await Promise.all(body.recipients.map((to) => sendNewsletter(mailer, to)))
      return { sent: body.recipients.length }
    },
  )
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
