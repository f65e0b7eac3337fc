import { createPostmarkTransport } from '@postmark-smtp/core'
import { htmlToText } from 'nodemailer-html-to-text'

export function createTransporter(url) {
  const transporter = createPostmarkTransport(url, { from: 'shop@example.com' })
  transporter.use('compile', htmlToText())
  return transporter
}
