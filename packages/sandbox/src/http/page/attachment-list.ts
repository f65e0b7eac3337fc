import { html } from 'hono/html'
import type { MailContent } from '../../mail/mail-content.js'
import { MAX_PARTS } from '../../mail/mime-parts.js'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import type { Markup } from './layout.js'
import { printable } from './printable.js'

/** The files of a mail, to download. */
export function attachmentList(
  { messageId }: SandboxMail,
  { attachments, text, html: markup }: MailContent,
): Markup | string {
  if (attachments.length === 0) return ''
  const parts = attachments.length + (text === undefined ? 0 : 1) + (markup === undefined ? 0 : 1)
  const item = ({ filename, mimeType, content }: MailContent['attachments'][number], index: number) =>
    html`<li><a href="/mails/${messageId}/attachments/${index}" download><bdi>${printable(filename, 100) || `(no name, ${index + 1})`}</bdi></a> <span>${printable(mimeType, 60)}</span> <span class="size">${toSize(content.length)}</span></li>`
  return html`<section class="attachments" aria-labelledby="attachments"><h2 id="attachments">Attachments (${attachments.length})</h2>
${parts >= MAX_PARTS ? html`<p class="note">A mail is read up to ${MAX_PARTS} parts. Further ones are in the source.</p>` : ''}
<ul>${attachments.map(item)}</ul></section>`
}

function toSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}
