import { MailerModule } from '@nestjs-modules/mailer'
import { postmark } from '@postmark-smtp/nodemailer'

export const mail = ({ host, port, ca, token }) =>
  MailerModule.forRoot({
    // At Postmark: host smtp.postmarkapp.com, port 587, the server token twice, and no `tls`.
    transport: { host, port, requireTLS: true, auth: { user: token, pass: token }, tls: { ca } },
    plugins: [{ step: 'compile', plugin: postmark({ defaults: { trackOpens: true } }) }],
  })
