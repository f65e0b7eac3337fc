import { html } from 'hono/html'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import { actionForms } from './action-forms.js'
import { attachmentList } from './attachment-list.js'
import { contentView, type ShownMail } from './content-view.js'
import { eventTimeline } from './event-timeline.js'
import { fieldList } from './field-list.js'
import { PAGE_SIZE } from './inbox-view.js'
import { layout, type Markup } from './layout.js'
import { badge } from './mail-badge.js'
import { findInList, type ListPlace, type MailFilter, toQuery } from './mail-filter.js'
import { type MailPart, partsOf } from './mail-parts.js'
import { placeQuery } from './mail-place.js'
import type { PageContext } from './page-context.js'
import { people } from './people.js'
import { printable } from './printable.js'
import { longTime } from './time.js'
import { verdictView } from './verdict-view.js'

/**
 * The page of an email: first the verdict, then the content, and next to it the events.
 * @param failure why the last action failed
 */
export function mailView(context: PageContext, shown: ShownMail, failure?: string): Markup {
  const { mail, content, place } = shown
  const { messageId, subject, receivedAt } = mail
  const parts = partsOf(content)
  const current = place.part !== undefined && parts.includes(place.part) ? place.part : parts[0]!
  const path = `/mails/${messageId}`
  const query = placeQuery(place)
  const tab = (each: MailPart) =>
    html`<a href="${path}${placeQuery({ ...place, part: each })}"${each === current ? html` aria-current="page"` : ''}>${TITLES[each]}${each === 'links' ? ` (${mail.links().length})` : ''}</a>`
  const title = printable(subject) || '(no subject)'
  const list = findInList(context, place.filter, mail)
  const button = (action: string, text: string, look = '') =>
    html`<button id="${action}" formaction="${path}/${action}${query}" class="${look}">${text}</button>`
  return layout(
    title,
    'mail',
    html`<nav class="places" aria-label="List"><a href="${listPath(place.filter, list, mail)}" id="back">← Inbox</a> <span id="neighbours" data-live>${neighbour(list.newer, query, 'newer', '↑ Newer')} ${neighbour(list.older, query, 'older', '↓ Older')}</span></nav>
<div class="head"><h1>${title}</h1><p id="status" data-live>${badge(mail, context.server)}</p>
<form method="post" action="${path}/unread${query}" class="tools"><a class="button" href="${path}/source" download>Download .eml</a>${button('unread', 'Mark as unread')}${button('delete', 'Delete', 'danger')}</form></div>
${people(mail)}
<p class="who">${longTime(receivedAt)}</p>
${failure === undefined ? '' : html`<p role="alert" class="alert">${printable(failure, 1000)}</p>`}
${verdictView(mail)}
<div class="columns${current === 'html' && place.width === 'desktop' ? ' wide' : ''}">
<section class="content" aria-label="Content">
<nav class="tabs" aria-label="Parts of the mail">${parts.map(tab)}</nav>
${(content.notes ?? []).map((note) => html`<p class="note">${printable(note, 300)}</p>`)}
${contentView(context, shown, current)}
${attachmentList(mail, content)}
</section>
<div class="aside">
<section class="card"><h2>Postmark fields</h2>${fieldList(mail)}</section>
<section class="card"><h2>Simulate</h2>${actionForms(mail, query)}</section>
<section class="card" id="timeline" data-live><h2>Timeline</h2>${eventTimeline(context, mail)}</section>
</div>
</div>`,
  )
}

/** The path of the list page that shows an email, at its row. */
export function listPath(filter: MailFilter, { index }: ListPlace, mail: SandboxMail): string {
  const page = Math.floor(index / PAGE_SIZE) + 1
  const query = `${toQuery(filter)}${page > 1 ? `page=${page}` : ''}`.replace(/&$/, '')
  return `/${query === '' ? '' : `?${query}`}#mail-${mail.messageId}`
}

function neighbour(
  mail: SandboxMail | undefined,
  query: string,
  which: 'newer' | 'older',
  text: string,
): Markup {
  return mail
    ? html`<a href="/mails/${mail.messageId}${query}" id="${which}" rel="${which === 'older' ? 'next' : 'prev'}">${text}</a>`
    : html`<span class="none">${text}</span>`
}

const TITLES: Readonly<Record<MailPart, string>> = {
  html: 'HTML',
  text: 'Text',
  markup: 'HTML source',
  headers: 'Headers',
  source: 'Source',
  delivered: 'As delivered',
  links: 'Links',
  check: 'Mail clients',
}
