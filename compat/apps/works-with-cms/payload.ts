import { nodemailerAdapter } from '@payloadcms/email-nodemailer'
import { createPostmarkTransport } from '@postmark-smtp/core'
import type { Payload } from 'payload'

/** For `email` in buildConfig. Set `skipVerify` so that a build does not log in. */
export const createEmail = (url: string) =>
  nodemailerAdapter({
    defaultFromAddress: 'shop@example.com',
    defaultFromName: 'Shop',
    transport: createPostmarkTransport(url),
    skipVerify: true,
  })

export const welcome = (payload: Pick<Payload, 'sendEmail'>, to: string) =>
  payload.sendEmail({
    to,
    subject: 'Welcome',
    text: 'Welcome',
    postmark: { tag: 'welcome', messageStream: 'signups', metadata: { id: 7 } },
  })
