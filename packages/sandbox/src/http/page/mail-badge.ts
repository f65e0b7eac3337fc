import { html } from 'hono/html'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import type { PostmarkServer } from '../../server/postmark-server.js'
import type { Markup } from './layout.js'
import { STATUSES, statusOf } from './mail-status.js'

/** The status of an email in one word. A refused email also shows its first error code. */
export function badge(mail: SandboxMail, server: PostmarkServer): Markup {
  const status = statusOf(mail, server)
  const code = status === 'refused' ? ` ${mail.verdict.problems[0]?.errorCode ?? ''}` : ''
  return html`<span class="badge ${status}">${STATUSES[status]}${code}</span>`
}
