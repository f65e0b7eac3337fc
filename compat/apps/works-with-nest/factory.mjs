import { MAILER_TRANSPORT_FACTORY, MailerModule } from '@nestjs-modules/mailer'
import { getPostmarkToken, PostmarkSmtpModule } from '@postmark-smtp/nestjs'

export const mail = (url) =>
  MailerModule.forRootAsync({
    imports: [PostmarkSmtpModule.forRoot({ url, message: { from: 'shop@example.com' } })],
    // The module requires a transport, but the factory below does not read it.
    useFactory: () => ({ transport: 'postmark' }),
    extraProviders: [
      {
        provide: MAILER_TRANSPORT_FACTORY,
        inject: [getPostmarkToken()],
        useFactory: (transporter) => ({ createTransport: () => transporter }),
      },
    ],
  })
