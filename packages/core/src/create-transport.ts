import type { SentMessageInfo, Transporter } from 'nodemailer'
import { attachSettings, type PostmarkInfo } from './attach.js'
import { createTransport } from './nodemailer.js'
import { PostmarkTransport } from './postmark-transport.js'
import type { PostmarkTransportOptions } from './transport-options.js'
import { toTransportSettings } from './transport-options.js'

/** A Nodemailer transporter that sends through Postmark. */
export interface PostmarkTransporter
  extends Transporter<SentMessageInfo & { readonly postmark: PostmarkInfo }> {
  /** Takes no more mails, waits for those under way, then ends every connection. */
  close(): Promise<void>
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
  return attachSettings(create(new PostmarkTransport(settings)), settings.compile)
}
