import { createPostmarkTransport } from '@postmark-smtp/core'
import hbs from 'nodemailer-express-handlebars'

export function createTransporter(url, viewPath) {
  const transporter = createPostmarkTransport(url, { from: 'shop@example.com' })
  const viewEngine = { defaultLayout: false, partialsDir: viewPath }
  transporter.use('compile', hbs({ viewEngine, viewPath }))
  return transporter
}
