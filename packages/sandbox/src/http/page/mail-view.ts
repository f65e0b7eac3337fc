import { html } from 'hono/html'
import type { MailContent } from '../../mail/mail-content.js'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import { actionForms } from './action-forms.js'
import { attachmentList } from './attachment-list.js'
import { contentView, type MailPart, partsOf } from './content-view.js'
import { eventTimeline } from './event-timeline.js'
import { fieldList } from './field-list.js'
import { layout, type Markup } from './layout.js'
import { badge } from './mail-badge.js'
import type { PageContext } from './page-context.js'
import { printable } from './printable.js'
import { longTime } from './time.js'
import { verdictView } from './verdict-view.js'

/** What the page of a mail shows. */
export interface MailViewOptions {
  readonly mail: SandboxMail
  readonly content: MailContent
  /** Which part of it, by default the best there is. */
  readonly part: MailPart | undefined
  /** Why the last action came to nothing. */
  readonly failure?: string
}

/** A mail: first the verdict, then what is in it, and next to it what happened. */
export function mailView(context: PageContext, { mail, content, part, failure }: MailViewOptions): Markup {
  const { messageId, subject, from, envelope, receivedAt } = mail
  const parts = partsOf(content)
  const current = part !== undefined && parts.includes(part) ? part : parts[0]!
  const path = `/mails/${messageId}`
  const tab = (each: MailPart) =>
    html`<a href="${path}?part=${each}"${each === current ? html` aria-current="page"` : ''}>${TITLES[each]}</a>`
  const title = printable(subject) || '(no subject)'
  return layout(
    title,
    'mail',
    html`<p class="back"><a href="/" id="back">← Inbox</a></p>
<div class="head"><h1>${title}</h1><p id="status" data-live>${badge(mail, context.server)}</p></div>
<p class="who"><span>From <bdi>${printable(from)}</bdi></span> <span>To <bdi>${printable(envelope.to.join(', '), 300)}</bdi></span> <span>${longTime(receivedAt)}</span></p>
${failure === undefined ? '' : html`<p role="alert" class="alert">${printable(failure, 1000)}</p>`}
${verdictView(mail)}
<div class="columns">
<section class="content" aria-label="Content">
<nav class="tabs" aria-label="Parts of the mail">${parts.map(tab)}</nav>
${(content.notes ?? []).map((note) => html`<p class="note">${printable(note, 300)}</p>`)}
${contentView(mail, content, current)}
${attachmentList(mail, content)}
</section>
<div class="aside">
<section class="card"><h2>Postmark fields</h2>${fieldList(mail)}</section>
<section class="card"><h2>Simulate</h2>${actionForms(mail, content)}</section>
<section class="card" id="timeline" data-live><h2>Timeline</h2>${eventTimeline(context, mail)}</section>
</div>
</div>`,
  )
}

const TITLES: Readonly<Record<MailPart, string>> = {
  html: 'HTML',
  text: 'Text',
  headers: 'Headers',
  source: 'Source',
  delivered: 'As delivered',
}
