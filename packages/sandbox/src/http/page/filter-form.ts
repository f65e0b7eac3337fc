import { html } from 'hono/html'
import type { PostmarkServer } from '../../server/postmark-server.js'
import type { Markup } from './layout.js'
import { isFiltered, type MailFilter } from './mail-filter.js'
import { STATUSES } from './mail-status.js'
import { printable } from './printable.js'

const MOST_MISSING = 20

/** The filters of the list. It is a GET form, so that you can share the URL and need no script. */
export function filterForm(filter: MailFilter, server: PostmarkServer): Markup {
  const option = (value: string, text: string, chosen: string) =>
    html`<option value="${value}"${value === chosen ? html` selected` : ''}>${text}</option>`
  const input = (name: 'tag' | 'metadata' | 'to', label: string, example: string) =>
    html`<label><span>${label}</span><input name="${name}" value="${filter[name]}" placeholder="${example}" autocomplete="off" spellcheck="false"></label>`
  return html`<form class="filters" role="search" aria-label="Filter the emails" method="get" action="/" id="filters">
<label class="wide"><span>Text</span><input type="search" name="q" id="q" value="${filter.q}" placeholder="Search headers and source" autocomplete="off" spellcheck="false"></label>
<label><span>Status</span><select name="status">${option('', 'Any', filter.status)}${option('unread', 'Unread', filter.status)}${Object.entries(STATUSES).map(([value, text]) => option(value, text, filter.status))}</select></label>
<label><span>Message stream</span><select name="stream">${option('', 'Any', filter.stream)}${streamsOf(server, filter).map((id) => option(id, printable(id), filter.stream))}</select></label>
${input('tag', 'Tag', 'welcome')}
${input('metadata', 'Metadata', 'order-id=42')}
${input('to', 'Recipient', 'ann@example.com')}
<div class="submit"><button>Filter</button>${isFiltered(filter) ? html`<a href="/">Reset</a>` : ''}</div>
</form>`
}

/** The streams of the server, and those that an email names although they do not exist. */
function streamsOf({ streams, mails }: PostmarkServer, filter: MailFilter): readonly string[] {
  const known = streams.map(({ id }) => id)
  const named = new Set([filter.stream, ...mails.map(({ stream }) => stream)].filter((id) => id !== ''))
  return [...known, ...[...named].filter((id) => !known.includes(id)).slice(0, MOST_MISSING)]
}
