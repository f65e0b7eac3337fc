import type { Transporter } from 'nodemailer'
import { attachSettings } from '../compile/attach.js'
import type { PostmarkInfo } from '../compile/sent-info.js'
import { createTransport } from '../message/nodemailer.js'
import { type CloseOptions, PostmarkTransport } from './postmark-transport.js'
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

/** A Nodemailer transporter that sends through Postmark. */
export interface PostmarkTransporter extends Transporter<PostmarkSentInfo> {
  /** Takes no more mails, waits for those that it has, then ends every connection. */
  close(options?: CloseOptions & { readonly force?: boolean }): Promise<void>
}

/**
 * Creates a transporter for Postmark: the host of the stream, STARTTLS that is required and verified, a login
 * that no log shows, and headers from context, message and defaults.
 * @example createPostmarkTransport({ serverToken, messageStream: 'outbound' })
 * @example createPostmarkTransport('postmark+smtp://TOKEN@default?stream=outbound')
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, _URL, _CREDENTIALS, _TLS, _FIELDS
 */
export function createPostmarkTransport(options: PostmarkTransportOptions | string): PostmarkTransporter {
  const settings = toTransportSettings(options)
  const create = createTransport as unknown as (transport: object) => PostmarkTransporter
  const transporter = create(new PostmarkTransport(settings))
  attachSettings(transporter, settings.compile)
  return transporter
}
