import type { SendMailOptions, Transporter } from 'nodemailer'
import type { PostmarkInfo } from '../compile/sent-info.js'
import { createTransport } from '../message/nodemailer.js'
import type { CloseOptions } from './closing.js'
import { PostmarkTransport } from './postmark-transport.js'
import type { PostmarkTransportOptions } from './transport-options.js'
import { toTransportSettings } from './transport-settings.js'

/** What sendMail of a {@link PostmarkTransporter} resolves to: Nodemailer's own result, and `postmark`. */
export type PostmarkSentInfo = {
  envelope: { from: string | false; to: string[] }
  /** The Message-ID of the mail. Recipients see another one, unless `keepId` is on. */
  messageId: string
  accepted: string[]
  rejected: string[]
  pending: string[]
  /** The last line of the server. Its queue ID is not Postmark's MessageID. */
  response: string
  envelopeTime: number
  messageTime: number
  messageSize: number
  postmark: PostmarkInfo
}

/**
 * A Nodemailer transporter that sends through Postmark. It is a transport as well: given to Nodemailer's createTransport,
 * or to a library that does so, it sends as before.
 */
export interface PostmarkTransporter extends Transporter<PostmarkSentInfo>, AsyncDisposable {
  /** The name that a transport has. */
  readonly name: string
  /** The version of it. */
  readonly version: string
  /** Sockets are opened by the option `getSocket`. */
  getSocket?: undefined
  /** Called by a transporter of Nodemailer that was made from this one; to send a mail, call `sendMail`. */
  send(mail: object, callback: (error: Error | null, info: PostmarkSentInfo) => void): void
  /** Takes no more mails, waits for those that it has, then ends every connection. `await using` does so too. */
  close(options?: CloseOptions & { readonly force?: boolean }): Promise<void>
}

/**
 * Creates a transporter for Postmark: the host of the stream, STARTTLS that is required and verified, a login
 * that no log shows, and headers from context, message and defaults.
 * @param messageDefaults as Nodemailer's second argument: fields of each message that has none of this name, such as
 *   `from`; the same as the option `message`
 * @example createPostmarkTransport({ serverToken, messageStream: 'outbound' })
 * @example createPostmarkTransport('postmark+smtp://TOKEN@default?stream=outbound', { from: 'shop@example.com' })
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, _URL, _CREDENTIALS, _TLS, _FIELDS
 */
export function createPostmarkTransport(
  options: PostmarkTransportOptions | string,
  messageDefaults?: SendMailOptions,
): PostmarkTransporter {
  // Nodemailer sets `mailer` on it, which attaches.
  const transport = new PostmarkTransport(toTransportSettings(options, messageDefaults))
  const transporter = (createTransport as unknown as (transport: object) => PostmarkTransporter)(transport)
  Object.defineProperty(transporter, Symbol.asyncDispose, { value: () => transport.close() })
  return transporter
}
