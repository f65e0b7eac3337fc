import { createPostmarkTransport } from '@postmark-smtp/core'
import { betterAuth } from 'better-auth'

export function createAuth(postmarkUrl, options) {
  const transporter = createPostmarkTransport(postmarkUrl, { from: 'login@example.com' })
  return betterAuth({
    emailVerification: {
      sendOnSignUp: true,
      sendVerificationEmail: async ({ user, url }) => {
        await transporter.sendMail({
          to: user.email,
          subject: 'Confirm your address',
          text: url,
          postmark: { tag: 'verify', messageStream: 'logins', metadata: { user: user.id } },
        })
      },
    },
    emailAndPassword: {
      enabled: true,
      sendResetPassword: async ({ user, url }) => {
        await transporter.sendMail({
          to: user.email,
          subject: 'Reset your password',
          text: url,
          postmark: { tag: 'reset', messageStream: 'logins', metadata: { user: user.id } },
        })
      },
    },
    ...options,
  })
}
