// The twin of augmentation.ts: nodemailer 10 has one set of declarations for import and another for require.
import type {} from 'nodemailer'
import type {} from 'nodemailer/lib/mailer'
import type { PostmarkFields } from './vocabulary/vocabulary.js' with { 'resolution-mode': 'import' }

declare module 'nodemailer' {
  /** Nodemailer 10, its CommonJS declarations: what `SendMailOptions` extends. */
  interface MailComposerOptions {
    /**
     * Postmark's fields of this mail: tag, metadata, stream and the others.
     * @example { tag: 'welcome', metadata: { 'order-id': '1234' } }
     */
    postmark?: PostmarkFields | null | undefined
    /**
     * The email goes out at most once under this key, as long as the store of the option `sendOnce` remembers it. Only for
     * a transporter of `createPostmarkTransport` that has that option. @example 'receipt-1234'
     */
    idempotencyKey?: string | undefined
  }
}

declare module 'nodemailer/lib/mailer' {
  /** @types/nodemailer: what `SendMailOptions` is an alias of. */
  interface Options {
    /**
     * Postmark's fields of this mail: tag, metadata, stream and the others.
     * @example { tag: 'welcome', metadata: { 'order-id': '1234' } }
     */
    postmark?: PostmarkFields | null | undefined
    /**
     * The email goes out at most once under this key, as long as the store of the option `sendOnce` remembers it. Only for
     * a transporter of `createPostmarkTransport` that has that option. @example 'receipt-1234'
     */
    idempotencyKey?: string | undefined
  }
}
