import { html } from 'hono/html'
import type { MailAddress } from '../../mail/addresses.js'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import type { Markup } from './layout.js'
import { printable } from './printable.js'

const MOST_SHOWN = 50
const LABELS = { from: 'From', replyTo: 'Reply-To', to: 'To', cc: 'Cc', bcc: 'Bcc' } as const

/** The sender and recipients of an email, one line for each header field that names someone. */
export function people({ addresses }: SandboxMail): Markup {
  const rows = Object.entries(LABELS).map(([field, label]) => {
    const list = addresses[field as keyof typeof LABELS]
    const shown = list.slice(0, MOST_SHOWN).map(fullName)
    const more = list.length - MOST_SHOWN
    return list.length === 0
      ? ''
      : html`<dt>${label}</dt><dd>${shown.map((each, index) => html`${index > 0 ? ', ' : ''}${each}`)}${more > 0 ? ` and ${more} more` : ''}</dd>`
  })
  return html`<dl class="people" aria-label="Sender and recipients">${rows}</dl>`
}

function fullName({ name, address }: MailAddress): Markup {
  const mailbox = html`<bdi>${printable(address, 320)}</bdi>`
  return name === '' ? mailbox : html`<bdi class="name">${printable(name)}</bdi> &lt;${mailbox}&gt;`
}

/** The name for a list, or the address if there is none. */
export function shortName(person: MailAddress | undefined): Markup | string {
  if (person === undefined) return ''
  const { name, address } = person
  return name === ''
    ? html`<bdi>${printable(address)}</bdi>`
    : html`<bdi title="${printable(address)}">${printable(name)}</bdi>`
}
