import type {} from 'nodemailer'
import type { PostmarkFields } from './vocabulary/vocabulary.js'

declare module 'nodemailer' {
  /** What `SendMailOptions` extends in Nodemailer 10. With @types/nodemailer, nothing uses this name. */
  interface MailComposerOptions {
    /**
     * The Postmark fields of this email: tag, metadata, stream and others.
     * @example { tag: 'welcome', metadata: { 'order-id': '1234' } }
     */
    postmark?: PostmarkFields | null | undefined
    /**
     * Sends the email at most once under this key, for as long as the store of the option `sendOnce` remembers the key.
     * Requires a transporter from `createPostmarkTransport` that has this option.
     * @example 'receipt-1234'
     */
    idempotencyKey?: string | undefined
  }
}
