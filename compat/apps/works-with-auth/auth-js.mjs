import Nodemailer from '@auth/core/providers/nodemailer'
import { createPostmarkTransport, runWithPostmark } from '@postmark-smtp/core'

export const createProvider = (url) =>
  Nodemailer({ server: createPostmarkTransport(url), from: 'login@example.com' })

/** Wrap the route with this: each sign-in mail gets these fields. */
export const withFields = (handler) => (request) =>
  runWithPostmark({ tag: 'sign-in', messageStream: 'logins' }, () => handler(request))
