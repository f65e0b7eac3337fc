import type {} from 'nodemailer'
import type { PostmarkFields } from './vocabulary/vocabulary.js'

declare module 'nodemailer' {
  /** Nodemailer 10: what `SendMailOptions` extends. With @types/nodemailer a name that nothing uses. */
  interface MailComposerOptions {
    /**
     * Postmark's fields of this mail: tag, metadata, stream and the others.
     * @example { tag: 'welcome', metadata: { 'order-id': '1234' } }
     */
    postmark?: PostmarkFields | null | undefined
    /**
     * The mail goes out at most once under this key, as long as the store of the option `sendOnce` remembers it. Only for
     * a transporter of `createPostmarkTransport` that has that option. @example 'receipt-1234'
     */
    idempotencyKey?: string | undefined
  }
}
