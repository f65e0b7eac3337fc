const { createPostmarkTransport } = require('@postmark-smtp/core')
const { default: EmailProvider } = require('next-auth/providers/email')

exports.createProvider = (url) =>
  EmailProvider({ server: createPostmarkTransport(url), from: 'login@example.com' })
