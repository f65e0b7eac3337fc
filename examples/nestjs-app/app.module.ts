import { type DynamicModule, Module } from '@nestjs/common'
import { APP_FILTER } from '@nestjs/core'
import { createSuppressionList } from '@postmark-smtp/core'
import { PostmarkSmtpModule, PostmarkWebhooksModule, type RejectedEvent } from '@postmark-smtp/nestjs'
import { suppressFrom } from '@postmark-smtp/webhooks'
import { MailLog } from './mail-log.service.js'
import { createOrdersModule } from './orders.module.js'
import { PostmarkErrorFilter } from './postmark-error.filter.js'
import { SignupController } from './signup.controller.js'
import { SignupMails } from './signup-mails.service.js'
import type { UserRequest } from './user.guard.js'

/** The fields of every email sent during a request. This runs when an email is sent, after the guard has set the user. */
const context = ({ headers, user }: UserRequest) => ({
  metadata: {
    tenant: String(headers['x-tenant'] ?? 'none'),
    'request-id': headers['x-request-id'] === undefined ? null : String(headers['x-request-id']),
    'user-id': user?.id,
  },
})

@Module({
  controllers: [SignupController],
  providers: [MailLog, SignupMails, { provide: APP_FILTER, useClass: PostmarkErrorFilter }],
})
class AppModule {}

/** The settings that differ between production, your machine and tests. */
export interface AppSettings {
  /** `postmark+smtp://SERVER-API-TOKEN@default` in production, `sandbox.url` on your machine. */
  readonly url: string
  /** The URL of the webhook at Postmark is https://postmark:PASSWORD@example.com/webhooks/postmark. */
  readonly webhookPassword: string
  /** Redis, for the queue of emails that are sent after the response. Without it, there are no orders. */
  readonly redisUrl?: string | undefined
  /** Called for each email that Postmark accepted with 250 and refused afterwards. */
  onRejected?(event: RejectedEvent): void
}

/** Creates the application. Postmark's events keep its list of suppressed addresses up to date. */
export function createAppModule({ url, webhookPassword, redisUrl, onRejected }: AppSettings): DynamicModule {
  const suppressions = createSuppressionList()
  const mail = PostmarkSmtpModule.forRoot({ url, context, correlationId: true, suppressions })
  const webhooks = PostmarkWebhooksModule.forRoot({
    auth: { basic: { username: 'postmark', password: webhookPassword } },
    on: { rejected: onRejected, any: (event) => suppressFrom(suppressions, event) },
  })
  const orders = redisUrl === undefined ? [] : [createOrdersModule(redisUrl)]
  return { module: AppModule, imports: [mail, webhooks, ...orders] }
}
