import { type DynamicModule, Module } from '@nestjs/common'
import { MailerModule } from '@nestjs-modules/mailer'
import { postmark } from '@postmark-smtp/nodemailer'
import type { Sandbox } from '@postmark-smtp/sandbox'
import { Receipts } from './receipts.service.js'

/** The first way: the transporter of @nestjs-modules/mailer with our plugin. Headers, context and preflight. */
@Module({ providers: [Receipts] })
class PluginModule {}

/** For Postmark, use host smtp.postmarkapp.com, port 587, and the server token as user and pass; no `tls`. */
export function withPlugin({ host, port, ca, token }: Sandbox): DynamicModule {
  return {
    module: PluginModule,
    imports: [
      MailerModule.forRoot({
        transport: { host, port, requireTLS: true, tls: { ca }, auth: { user: token, pass: token } },
        plugins: [{ step: 'compile', plugin: postmark({ defaults: { trackOpens: true } }) }],
      }),
    ],
  }
}
