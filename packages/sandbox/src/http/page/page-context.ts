import type { CheckedLink } from '../../checks/link-check.js'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import type { PostmarkServer } from '../../server/postmark-server.js'
import type { WebhookSender } from '../../webhooks/webhook-sender.js'
import type { ReadMarks } from './read-marks.js'

/** What {@link createPage} takes. */
export interface PageOptions {
  readonly server: PostmarkServer
  readonly webhooks: WebhookSender
  /** The connection URL to paste. @example 'postmark+smtp://…@127.0.0.1:2525?plaintext=1' */
  readonly smtpUrl: string
  /** Whether the link check may request addresses of this machine and of private networks. */
  readonly checkPrivateLinks: boolean
}

/** What the inbox page reads and changes. */
export interface PageContext extends PageOptions {
  readonly read: ReadMarks
  /** What the last link check of an email found. */
  readonly linkChecks: WeakMap<SandboxMail, readonly CheckedLink[]>
}
