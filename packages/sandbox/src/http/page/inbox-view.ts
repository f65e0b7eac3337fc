import { html } from 'hono/html'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import { toStreamLabel } from '../../mail/stream-label.js'
import { connectView } from './connect-view.js'
import { filterForm } from './filter-form.js'
import { layout, type Markup } from './layout.js'
import { badge } from './mail-badge.js'
import { filterMails, type MailFilter, toQuery } from './mail-filter.js'
import type { PageContext } from './page-context.js'
import { printable } from './printable.js'
import { shortTime } from './time.js'

const PAGE_SIZE = 100

/** The list of the mails. */
export function inboxView({ server, smtpUrl }: PageContext, filter: MailFilter, wantedPage: number): Markup {
  const mails = filterMails(server, filter)
  const pages = Math.max(1, Math.ceil(mails.length / PAGE_SIZE))
  const page = Math.min(Math.max(1, wantedPage || 1), pages)
  const shown = mails.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE)
  const row = (mail: SandboxMail) => mailRow(mail, badge(mail, server), server.now())
  const total = server.mails.length
  return layout(
    'Inbox',
    'inbox',
    html`<div class="head">
<h1>Inbox</h1>
<p role="status" id="summary" data-live>${summary(mails.length, total)}</p>
<div class="clear" id="clear" data-live>${total > 0 ? clearForm(total) : ''}</div>
</div>
${filterForm(filter, server)}
<div id="mails" data-live>
${
  total === 0
    ? html`<section class="empty">${connectView(smtpUrl, 'No mail yet')}</section>`
    : shown.length === 0
      ? html`<p class="empty">No mail matches these filters. <a href="/">Show all ${total}</a></p>`
      : html`<table role="table" class="mails" aria-label="Mails, newest first">
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Status</th><th role="columnheader" scope="col">Subject</th><th role="columnheader" scope="col">To</th><th role="columnheader" scope="col">Message stream</th><th role="columnheader" scope="col">Tag</th><th role="columnheader" scope="col">Time</th></tr></thead>
<tbody role="rowgroup">${shown.map(row)}</tbody>
</table>${pages > 1 ? pager(page, pages, toQuery(filter)) : ''}`
}
</div>`,
  )
}

function summary(found: number, total: number): string {
  const mails = `${total} ${total === 1 ? 'mail' : 'mails'}`
  return found === total ? mails : `${found} of ${mails}`
}

function clearForm(total: number): Markup {
  return html`<details><summary>Clear…</summary>
<form method="post" action="/clear"><button class="danger">Delete all ${total}</button></form></details>`
}

function mailRow(mail: SandboxMail, status: Markup, now: Date): Markup {
  const { messageId, envelope, subject, postmark, receivedAt } = mail
  const [first = '', ...others] = envelope.to
  return html`<tr role="row" id="row-${messageId}"><td role="cell" class="status">${status}</td><td role="cell" class="subject"><a href="/mails/${messageId}" id="mail-${messageId}">${printable(subject) || '(no subject)'}</a></td><td role="cell" class="to"><bdi>${printable(first)}</bdi>${others.length > 0 ? html` <span class="more">+${others.length}</span>` : ''}</td><td role="cell" class="stream">${printable(toStreamLabel(mail))}</td><td role="cell" class="tag">${postmark.tag ? html`<span>${printable(postmark.tag)}</span>` : ''}</td><td role="cell" class="time">${shortTime(receivedAt, now)}</td></tr>
`
}

function pager(page: number, pages: number, query: string): Markup {
  const link = (to: number, text: string) =>
    to < 1 || to > pages ? '' : html`<a href="/?${query}page=${to}">${text}</a>`
  return html`<nav class="pager" aria-label="Pages of the list">${link(page - 1, '← Newer')}<span>Page ${page} of ${pages}</span>${link(page + 1, 'Older →')}</nav>`
}
