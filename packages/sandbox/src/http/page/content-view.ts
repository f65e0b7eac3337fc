import { html } from 'hono/html'
import type { MailContent } from '../../mail/mail-content.js'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import { clientCheckView } from './client-check-view.js'
import { frameProblem } from './html-frame.js'
import type { Markup } from './layout.js'
import { linkView } from './link-view.js'
import type { MailPart } from './mail-parts.js'
import { FRAME_SCHEMES, FRAME_WIDTHS, type MailPlace, placeQuery } from './mail-place.js'
import type { PageContext } from './page-context.js'
import { printable, printableLines } from './printable.js'

const MAX_SHOWN = 200_000
const MAX_HEADERS = 200
const MAX_HEADER_LENGTH = 2000

/** An email, and the part of it that is shown. */
export interface ShownMail {
  readonly mail: SandboxMail
  readonly content: MailContent
  readonly place: MailPlace
}

/** One part of an email. */
export function contentView(context: PageContext, shown: ShownMail, part: MailPart): Markup {
  const { mail, content } = shown
  const path = `/mails/${mail.messageId}`
  switch (part) {
    case 'html':
      return htmlView(content.html ?? '', path, shown.place)
    case 'text':
      return textView(content.text ?? '', 'text')
    case 'markup':
      return textView(content.html ?? '', 'source')
    case 'headers':
      return headersView(mail)
    case 'source':
      return html`<p class="note"><a href="${path}/source">Download the source</a> (${mail.raw.length} bytes)</p>${bytesView(mail.raw)}`
    case 'delivered':
      return html`<p class="note">What the first recipient gets, as far as is known. Postmark also encodes the body again and signs the email.</p>${bytesView(mail.delivered())}`
    case 'links':
      return linkView(context, shown)
    case 'check':
      return clientCheckView(content.html ?? '')
  }
}

const WIDTH_NAMES = { fit: 'Fit', phone: 'Phone', tablet: 'Tablet', desktop: 'Desktop' } as const
const SCHEME_NAMES = { light: 'Light', dark: 'Dark' } as const

function htmlView(markup: string, path: string, place: MailPlace): Markup {
  const problem = frameProblem(markup)
  if (problem !== undefined) {
    return html`<p class="note">This HTML is not shown, because ${problem}. You can find it in the source.</p>`
  }
  const { width, scheme } = place
  const link = (change: Partial<MailPlace>, text: string, isCurrent: boolean) =>
    html`<a href="${path}${placeQuery({ ...place, part: 'html', ...change })}"${isCurrent ? html` aria-current="true"` : ''}>${text}</a>`
  return html`<div class="looks"><nav aria-label="Width of the mail">${FRAME_WIDTHS.map((each) => link({ width: each }, WIDTH_NAMES[each], each === width))}</nav>
<nav aria-label="Colours of the mail">${FRAME_SCHEMES.map((each) => link({ scheme: each }, SCHEME_NAMES[each], each === scheme))}</nav></div>
<iframe class="frame ${width} ${scheme}" sandbox="" src="${path}/html${scheme === 'dark' ? '?scheme=dark' : ''}" title="HTML of the email" loading="lazy"></iframe>
<p class="note">Nothing in the email runs, and nothing is loaded from elsewhere, so remote images are missing.</p>`
}

function textView(text: string, look: 'text' | 'source'): Markup {
  return html`${cutNote(text.length)}<pre class="${look}">${printableLines(text, MAX_SHOWN)}</pre>`
}

function bytesView(bytes: Buffer): Markup {
  return html`${cutNote(bytes.length)}<pre class="source">${printableLines(bytes.toString('utf8', 0, MAX_SHOWN), MAX_SHOWN)}</pre>`
}

function cutNote(length: number): Markup | string {
  return length > MAX_SHOWN
    ? html`<p class="note">Only the beginning of ${length} characters is shown.</p>`
    : ''
}

function headersView({ headers }: SandboxMail): Markup {
  const row = ({ key, value }: SandboxMail['headers'][number]) =>
    html`<tr><th scope="row">${printable(key)}</th><td>${printable(value, MAX_HEADER_LENGTH)}${value.length > MAX_HEADER_LENGTH ? html` <em>(${value.length} characters)</em>` : ''}</td></tr>`
  return html`${headers.length > MAX_HEADERS ? html`<p class="note">The first ${MAX_HEADERS} of ${headers.length} headers.</p>` : ''}<table class="headers"><caption>Decoded, in the order of the email</caption><tbody>${headers.slice(0, MAX_HEADERS).map(row)}</tbody></table>`
}
