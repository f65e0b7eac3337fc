import { html } from 'hono/html'
import { type CheckedLink, MOST_CHECKED } from '../../checks/link-check.js'
import type { ShownMail } from './content-view.js'
import type { Markup } from './layout.js'
import { placeQuery } from './mail-place.js'
import type { PageContext } from './page-context.js'
import { printable } from './printable.js'

const MOST_SHOWN = 500
const MAX_URL_LENGTH = 2000

/** The links of an email, and what the last check found. */
export function linkView(
  { linkChecks, checkPrivateLinks }: PageContext,
  { mail, place }: Pick<ShownMail, 'mail' | 'place'>,
): Markup {
  const links = mail.links()
  if (links.length === 0) return html`<p class="note">This mail has no link that opens in a browser.</p>`
  const checked = new Map(linkChecks.get(mail)?.map((link) => [link.url, link]))
  const action = `/mails/${mail.messageId}/check-links${placeQuery({ ...place, part: 'links' })}`
  const limit = links.length > MOST_CHECKED ? ` Only the first ${MOST_CHECKED} are checked.` : ''
  return html`<form method="post" action="${action}" class="check"><button>${checked.size > 0 ? 'Check the links again' : 'Check the links'}</button>
<p class="note">Nothing is requested until you press the button. The sandbox then sends HEAD, and GET if HEAD gets an error${checkPrivateLinks ? '' : ', but nothing to private addresses'}. If a link does something when it is opened, such as unsubscribing, checking it may do that too.${limit}</p></form>
<table class="links"><caption class="hidden">Links</caption><thead><tr><th scope="col">Reply</th><th scope="col">Link</th></tr></thead><tbody>${links.slice(0, MOST_SHOWN).map((url) => linkRow(url, checked.get(url)))}</tbody></table>
${links.length > MOST_SHOWN ? html`<p class="note">The first ${MOST_SHOWN} of ${links.length} links.</p>` : ''}`
}

function linkRow(url: string, checked: CheckedLink | undefined): Markup {
  const { status, error, finalUrl } = checked ?? {}
  const state = checked === undefined ? '' : status !== undefined && status < 400 ? 'good' : 'bad'
  const reply = checked === undefined ? '–' : (status ?? 'None')
  return html`<tr class="${state}"><td class="reply">${reply}</td><td><a href="${url}" target="_blank" rel="noopener noreferrer">${printable(url, MAX_URL_LENGTH)}</a>${error === undefined ? '' : html`<p>${printable(error, 300)}</p>`}${finalUrl === undefined ? '' : html`<p>Redirects to ${printable(finalUrl, MAX_URL_LENGTH)}</p>`}</td></tr>`
}
