import { html } from 'hono/html'
import type { MailContent } from '../../mail/mail-content.js'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import { frameProblem } from './html-frame.js'
import type { Markup } from './layout.js'
import { printable, printableLines } from './printable.js'

/** What of a mail can be looked at. */
export const MAIL_PARTS = ['html', 'text', 'headers', 'source', 'delivered'] as const

/** One of {@link MAIL_PARTS}. */
export type MailPart = (typeof MAIL_PARTS)[number]

const MAX_SHOWN = 200_000
const MAX_HEADERS = 200
const MAX_HEADER_LENGTH = 2000

/** The parts that a mail has, the best first. */
export function partsOf({ html: markup, text }: MailContent): MailPart[] {
  return MAIL_PARTS.filter(
    (part) => (part !== 'html' || markup !== undefined) && (part !== 'text' || text !== undefined),
  )
}

/** One part of a mail. */
export function contentView(mail: SandboxMail, content: MailContent, part: MailPart): Markup {
  const path = `/mails/${mail.messageId}`
  switch (part) {
    case 'html':
      return htmlView(content.html ?? '', path)
    case 'text':
      return textView(content.text ?? '')
    case 'headers':
      return headersView(mail)
    case 'source':
      return html`<p class="note"><a href="${path}/source">Download the source</a> (${mail.raw.length} bytes)</p>${bytesView(mail.raw)}`
    case 'delivered':
      return html`<p class="note">What the first recipient gets, as far as is known. Postmark also signs it, and encodes the body again.</p>${bytesView(mail.delivered())}`
  }
}

function htmlView(markup: string, path: string): Markup {
  const problem = frameProblem(markup)
  if (problem !== undefined) {
    return html`<p class="note">This HTML is not shown: ${problem}. It is in the source.</p>`
  }
  return html`<iframe class="frame" sandbox="" src="${path}/html" title="HTML of the mail" loading="lazy"></iframe>
<p class="note">Nothing in it runs, and nothing is loaded from elsewhere: remote images stay away.</p>`
}

function textView(text: string): Markup {
  return html`${cutNote(text.length)}<pre class="text">${printableLines(text, MAX_SHOWN)}</pre>`
}

function bytesView(bytes: Buffer): Markup {
  return html`${cutNote(bytes.length)}<pre class="source">${printableLines(bytes.toString('utf8', 0, MAX_SHOWN), MAX_SHOWN)}</pre>`
}

function cutNote(length: number): Markup | string {
  return length > MAX_SHOWN
    ? html`<p class="note">Only the beginning is shown, of ${length} characters.</p>`
    : ''
}

function headersView({ headers }: SandboxMail): Markup {
  const row = ({ key, value }: SandboxMail['headers'][number]) =>
    html`<tr><th scope="row">${printable(key)}</th><td>${printable(value, MAX_HEADER_LENGTH)}${value.length > MAX_HEADER_LENGTH ? html` <em>(${value.length} characters)</em>` : ''}</td></tr>`
  return html`${headers.length > MAX_HEADERS ? html`<p class="note">The first ${MAX_HEADERS} of ${headers.length} headers.</p>` : ''}<table class="headers"><caption>Decoded, in the order of the mail</caption><tbody>${headers.slice(0, MAX_HEADERS).map(row)}</tbody></table>`
}
