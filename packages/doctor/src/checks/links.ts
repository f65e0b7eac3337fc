/** Where Postmark documents what a finding is about. */
export const LINKS = {
  smtp: 'https://postmarkapp.com/developer/user-guide/send-email-with-smtp',
  api: 'https://postmarkapp.com/developer/api/overview',
  server: 'https://postmarkapp.com/developer/api/server-api',
  streams: 'https://postmarkapp.com/developer/api/message-streams-api',
  domains: 'https://postmarkapp.com/developer/api/domains-api',
  signatures: 'https://postmarkapp.com/developer/api/signatures-api',
  webhooks: 'https://postmarkapp.com/developer/api/webhooks-api',
  posts: 'https://postmarkapp.com/developer/webhooks/webhooks-overview',
  suppressions: 'https://postmarkapp.com/developer/api/suppressions-api',
  bounces: 'https://postmarkapp.com/developer/api/bounce-api',
  dmarc: 'https://www.rfc-editor.org/rfc/rfc7489',
  spf: 'https://www.rfc-editor.org/rfc/rfc7208',
  starttls: 'https://www.rfc-editor.org/rfc/rfc3207',
  node: 'https://nodejs.org/en/about/previous-releases',
  nodemailer: 'https://nodemailer.com/smtp/',
} as const
