import { createPostmarkTransport } from '@postmark-smtp/core'

/** config/plugins.js */
export default ({ env }) => ({
  email: {
    config: {
      provider: 'nodemailer',
      providerOptions: createPostmarkTransport(env('POSTMARK_URL')),
      settings: { defaultFrom: 'shop@example.com', defaultReplyTo: 'help@example.com' },
    },
  },
})
