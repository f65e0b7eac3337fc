import Nodemailer from '@auth/core/providers/nodemailer'
import { createPostmarkTransport } from '@postmark-smtp/core'

export function createProvider(url) {
  const transporter = createPostmarkTransport(url, { from: 'login@example.com' })
  return Nodemailer({
    server: 'unused', // required, but only the provider's own sendVerificationRequest uses it
    async sendVerificationRequest({ identifier, url }) {
      await transporter.sendMail({
        to: identifier,
        subject: 'Sign in',
        text: `Sign in: ${url}`,
        postmark: { tag: 'sign-in', messageStream: 'logins' },
      })
    },
  })
}
