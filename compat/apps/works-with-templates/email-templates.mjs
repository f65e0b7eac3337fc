import { createPostmarkTransport } from '@postmark-smtp/core'
import Email from 'email-templates'

export const createEmail = (url, root) =>
  new Email({
    transport: createPostmarkTransport(url),
    message: { from: 'shop@example.com', postmark: { messageStream: 'signups' } },
    send: true, // by default it sends nothing under NODE_ENV=development and test
    preview: false, // by default it opens a browser under NODE_ENV=development
    views: { root, options: { extension: 'hbs' } },
  })

export const welcome = (email, to, name) =>
  email.send({
    template: 'welcome',
    message: { to, postmark: { tag: 'welcome' } },
    locals: { name },
  })
