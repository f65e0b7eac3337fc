import { MailerModule } from '@nestjs-modules/mailer'
import { HandlebarsAdapter } from '@nestjs-modules/mailer/adapters/handlebars.adapter'
import { createPostmarkTransport } from '@postmark-smtp/core'

export const mail = (url, dir) =>
  MailerModule.forRoot({
    transport: createPostmarkTransport(url),
    defaults: { from: 'shop@example.com', headers: { 'X-PM-TrackOpens': 'true' } },
    template: { dir, adapter: new HandlebarsAdapter() },
  })
