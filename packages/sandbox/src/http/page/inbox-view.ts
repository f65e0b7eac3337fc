import { html } from 'hono/html'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import { toStreamLabel } from '../../mail/stream-label.js'
import { connectView } from './connect-view.js'
import { filterForm } from './filter-form.js'
import { layout, type Markup } from './layout.js'
import { badge } from './mail-badge.js'
import { filterMails, isFiltered, type MailFilter, toQuery } from './mail-filter.js'
import type { PageContext } from './page-context.js'
import { shortName } from './people.js'
import { printable } from './printable.js'
import { isSameDay, shortTime } from './time.js'

/** Emails on one page of the list. */
export const PAGE_SIZE = 100

/** The list of emails. */
export function inboxView(context: PageContext, filter: MailFilter, wantedPage: number): Markup {
  const { server, smtpUrl, read } = context
  const mails = filterMails(context, filter)
  const pages = Math.max(1, Math.ceil(mails.length / PAGE_SIZE))
  const page = Math.min(Math.max(1, wantedPage || 1), pages)
  const shown = mails.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE)
  const now = server.now()
  const query = toQuery(filter)
  const row = (mail: SandboxMail) =>
    mailRow(mail, { status: badge(mail, server), now, query, isRead: read.has(mail) })
  const isDated = shown.some(({ receivedAt }) => !isSameDay(receivedAt, now))
  const total = server.mails.length
  return layout(
    'Inbox',
    'inbox',
    html`<div class="head">
<h1>Inbox</h1>
<p role="status" id="summary" data-live>${summary(mails.length, total)}</p>
<div class="clear" id="clear" data-live>${total > 0 ? clearForm(mails.length, total, filter) : ''}</div>
</div>
${filterForm(filter, server)}
<div id="mails" data-live>
${
  total === 0
    ? html`<section class="empty">${connectView(smtpUrl, 'No email yet')}</section>`
    : shown.length === 0
      ? html`<p class="empty">No email matches these filters. <a href="/">Show all ${total}</a></p>`
      : html`<table role="table" class="mails${isDated ? ' dated' : ''}" aria-label="Emails, newest first">
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Status</th><th role="columnheader" scope="col">Subject</th><th role="columnheader" scope="col">From</th><th role="columnheader" scope="col">To</th><th role="columnheader" scope="col">Message stream</th><th role="columnheader" scope="col">Tag</th><th role="columnheader" scope="col">Time</th></tr></thead>
<tbody role="rowgroup">${shown.map(row)}</tbody>
</table>${pages > 1 ? pager(page, pages, query) : ''}`
}
</div>`,
  )
}

function summary(found: number, total: number): string {
  const mails = `${total} ${total === 1 ? 'email' : 'emails'}`
  return found === total ? mails : `${found} of ${mails}`
}

function clearForm(found: number, total: number, filter: MailFilter): Markup {
  const fields = Object.entries(filter).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )
  return html`<details><summary>Clear…</summary>
${
  isFiltered(filter) && found > 0
    ? html`<form method="post" action="/delete">${fields}<button class="danger">Delete filtered (${found})</button></form>
<form method="post" action="/read">${fields}<button>Mark filtered as read (${found})</button></form>`
    : ''
}
<form method="post" action="/read"><button>Mark all as read</button></form>
<form method="post" action="/clear"><button class="danger">Delete all (${total})</button></form></details>`
}

interface RowFacts {
  readonly status: Markup
  readonly now: Date
  /** The query of the list, so that the page of the email knows the way back and the neighbours. */
  readonly query: string
  readonly isRead: boolean
}

function mailRow(mail: SandboxMail, { status, now, query, isRead }: RowFacts): Markup {
  const { messageId, envelope, addresses, subject, postmark, receivedAt } = mail
  const { from, to, cc, bcc } = addresses
  const first = [...to, ...cc, ...bcc][0]
  const others = envelope.to.length - 1
  const path = `/mails/${messageId}${query === '' ? '' : `?${query.slice(0, -1)}`}`
  return html`<tr role="row" id="row-${messageId}"${isRead ? '' : html` class="unread"`}><td role="cell" class="status">${status}</td><td role="cell" class="subject">${isRead ? '' : UNREAD}<a href="${path}" id="mail-${messageId}">${printable(subject) || '(no subject)'}</a></td><td role="cell" class="from">${shortName(from[0])}</td><td role="cell" class="to">${shortName(first)}${others > 0 ? html` <span class="more">+${others}</span>` : ''}</td><td role="cell" class="stream">${printable(toStreamLabel(mail))}</td><td role="cell" class="tag">${postmark.tag ? html`<span>${printable(postmark.tag)}</span>` : ''}</td><td role="cell" class="time">${shortTime(receivedAt, now)}</td></tr>
`
}

const UNREAD: Markup = html`<span class="hidden">Unread: </span>`

function pager(page: number, pages: number, query: string): Markup {
  const link = (to: number, text: string) =>
    to < 1 || to > pages ? '' : html`<a href="/?${query}page=${to}">${text}</a>`
  return html`<nav class="pager" aria-label="Pages of the list">${link(page - 1, '← Newer')}<span>Page ${page} of ${pages}</span>${link(page + 1, 'Older →')}</nav>`
}
