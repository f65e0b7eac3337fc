import type { PostmarkServer } from '../../server/postmark-server.js'
import type { WebhookSender } from '../../webhooks/webhook-sender.js'

/** What the inbox page reads and changes. */
export interface PageContext {
  readonly server: PostmarkServer
  readonly webhooks: WebhookSender
  /** The connection URL to paste. @example 'postmark+smtp://…@127.0.0.1:2525?plaintext=1' */
  readonly smtpUrl: string
}
