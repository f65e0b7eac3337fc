import { type DynamicModule, Module } from '@nestjs/common'
import { MAILER_TRANSPORT_FACTORY, MailerModule } from '@nestjs-modules/mailer'
import { getPostmarkToken, PostmarkSmtpModule, type PostmarkTransporter } from '@postmark-smtp/nestjs'
import { Receipts } from './receipts.service.js'

/** The second way: our transporter in @nestjs-modules/mailer. It adds routing by stream, outcomes and `info.postmark`. */
@Module({ providers: [Receipts] })
class TransporterModule {}

/** @param url postmark+smtp://SERVER-API-TOKEN@default in production */
export function withTransporter(url: string): DynamicModule {
  return {
    module: TransporterModule,
    imports: [
      MailerModule.forRootAsync({
        imports: [PostmarkSmtpModule.forRoot({ url })],
        // A transport is required, but only the factory below would read it.
        useFactory: () => ({ transport: 'postmark' }),
        extraProviders: [
          {
            provide: MAILER_TRANSPORT_FACTORY,
            inject: [getPostmarkToken()],
            useFactory: (transporter: PostmarkTransporter) => ({ createTransport: () => transporter }),
          },
        ],
      }),
    ],
  }
}
