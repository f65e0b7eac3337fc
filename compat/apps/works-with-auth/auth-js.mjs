import Nodemailer from '@auth/core/providers/nodemailer'
import { createPostmarkTransport, runWithPostmark } from '@postmark-smtp/core'

export const createProvider = (url) =>
  Nodemailer({ server: createPostmarkTransport(url), from: 'login@example.com' })

/** The route: each mail of the sign-in has these fields. */
export const withFields = (handler) => (request) =>
  runWithPostmark({ tag: 'sign-in', messageStream: 'logins' }, () => handler(request))
