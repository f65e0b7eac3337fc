import type {} from 'nodemailer/lib/mailer'
import type { PostmarkFields } from './vocabulary.js'

// `SendMailOptions` is a name for this interface, in nodemailer 10's own types and in @types/nodemailer alike.
declare module 'nodemailer/lib/mailer' {
  interface Options {
    /**
     * Postmark's fields of this mail: tag, metadata, stream and the others.
     * @example { tag: 'welcome', metadata: { 'order-id': '1234' } }
     */
    postmark?: PostmarkFields | null | undefined
  }
}
