import { html } from 'hono/html'
import type { MailAttachment, MailContent } from '../../mail/mail-content.js'
import { MAX_PARTS } from '../../mail/mime-parts.js'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import { inlineImageType } from './inline-image.js'
import type { Markup } from './layout.js'
import { printable, printableLines } from './printable.js'

const MOST_INLINE = 20
const MAX_TEXT = 20_000
const TEXT_TYPES = /^(?:text\/(?:plain|csv|calendar|html|markdown)|application\/(?:json|xml))$/

/** The files of an email to download, with previews of images and texts. */
export function attachmentList(
  { messageId }: SandboxMail,
  { attachments, text, html: markup }: MailContent,
): Markup | string {
  if (attachments.length === 0) return ''
  const parts = attachments.length + (text === undefined ? 0 : 1) + (markup === undefined ? 0 : 1)
  const item = (file: MailAttachment, index: number) => {
    const { filename, mimeType, content } = file
    const path = `/mails/${messageId}/attachments/${index}`
    return html`<li><a href="${path}" download><bdi>${printable(filename, 100) || `(no name, ${index + 1})`}</bdi></a> <span>${printable(mimeType, 60)}</span> <span class="size">${toSize(content.length)}</span>${index < MOST_INLINE ? preview(file, path) : ''}</li>`
  }
  return html`<section class="attachments" aria-labelledby="attachments"><h2 id="attachments">Attachments (${attachments.length})</h2>
${parts >= MAX_PARTS ? html`<p class="note">Only the first ${MAX_PARTS} parts of an email are read. Any others are in the source.</p>` : ''}
<ul>${attachments.map(item)}</ul></section>`
}

/** Bitmap images are shown, and texts as text. Whatever a program would open can only be saved. */
function preview({ filename, mimeType, content }: MailAttachment, path: string): Markup | string {
  if (inlineImageType(content) !== undefined)
    return html`<img src="${path}?inline" alt="${printable(filename, 100) || 'attached image'}" loading="lazy">`
  if (!TEXT_TYPES.test(mimeType) || content.length === 0) return ''
  return html`<details><summary>Show the text</summary><pre>${printableLines(content.toString('utf8', 0, MAX_TEXT), MAX_TEXT)}</pre></details>`
}

function toSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}
