import { html } from 'hono/html'
import type { PostmarkServer } from '../postmark-server.js'
import type { SandboxMail } from '../sandbox-mail.js'
import type { Markup } from './layout.js'
import { STATUSES, statusOf } from './mail-status.js'

/** The status of a mail in a word; of a refused one with the first error code. */
export function badge(mail: SandboxMail, server: PostmarkServer): Markup {
  const status = statusOf(mail, server)
  const code = status === 'refused' ? ` ${mail.verdict.problems[0]?.errorCode ?? ''}` : ''
  return html`<span class="badge ${status}">${STATUSES[status]}${code}</span>`
}
