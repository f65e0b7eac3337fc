import type { SendMailOptions, Transporter } from 'nodemailer'
import type { PostmarkInfo } from '../compile/sent-info.js'
import { createTransport } from '../message/nodemailer.js'
import type { CloseOptions } from './closing.js'
import { PostmarkTransport } from './postmark-transport.js'
import type { PostmarkTransportOptions } from './transport-options.js'
import { toTransportSettings } from './transport-settings.js'

/** The result of sendMail on a {@link PostmarkTransporter}: Nodemailer's own result, plus `postmark`. */
export type PostmarkSentInfo = {
  envelope: { from: string | false; to: string[] }
  /** The Message-ID of the email. Recipients see another one unless `keepId` is set. */
  messageId: string
  accepted: string[]
  rejected: string[]
  pending: string[]
  /** The last line of the server's reply. Its queue ID is not Postmark's MessageID. */
  response: string
  envelopeTime: number
  messageTime: number
  messageSize: number
  postmark: PostmarkInfo
}

/**
 * A Nodemailer transporter that sends through Postmark. It is also a transport: you can pass it to Nodemailer's
 * createTransport, or to a library that calls it, and it sends in the same way.
 */
export interface PostmarkTransporter extends Transporter<PostmarkSentInfo>, AsyncDisposable {
  /** The name of the transport. */
  readonly name: string
  /** The version of the transport. */
  readonly version: string
  /** Always undefined: use the option `getSocket` to open sockets. */
  getSocket?: undefined
  /** Called by a Nodemailer transporter that was created from this one. To send an email, call `sendMail`. */
  send(mail: object, callback: (error: Error | null, info: PostmarkSentInfo) => void): void
  /** Stops accepting emails, waits for pending ones, then closes every connection. `await using` calls this as well. */
  close(options?: CloseOptions & { readonly force?: boolean }): Promise<void>
}

/**
 * Creates a transporter for Postmark. It uses the host of the stream, requires and verifies STARTTLS, keeps the login
 * out of logs, and adds headers from the scope, the message and the defaults.
 * @param messageDefaults like Nodemailer's second argument: default fields for messages, such as `from`; the same as
 * the option `message`
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
