import { BOUNCE_TYPES } from '@postmark-smtp/core'
import { html } from 'hono/html'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import type { Markup } from './layout.js'
import { printable } from './printable.js'

const MOST_LINKS = 50
const MOST_RECIPIENTS = 100
/** SMTPApiError comes from a verdict, a complaint has its own button, and the others do not come from recipients. */
const NOT_OFFERED = ['SMTPApiError', 'SpamComplaint', 'InboundError', 'TemplateRenderingFailed']

/**
 * The forms for what a recipient can do with an email.
 * @param query the query of the page, to return to it unchanged
 */
export function actionForms(mail: SandboxMail, query: string): Markup {
  if (mail.verdict.outcome === 'refused')
    return html`<p class="note">Nobody receives a refused mail, so there is nothing to simulate.</p>`
  const path = `/mails/${mail.messageId}`
  const links = mail.links().slice(0, MOST_LINKS)
  const button = (action: string, text: string) =>
    html`<button formaction="${path}/${action}${query}">${text}</button>`
  const choice = (name: string, label: string, values: readonly (readonly [string, string])[]) =>
    html`<label><span>${label}</span><select name="${name}">${values.map(([value, text]) => html`<option value="${value}">${text}</option>`)}</select></label>`
  const recipients = [...new Set(mail.envelope.to)].slice(0, MOST_RECIPIENTS)
  const types = Object.entries(BOUNCE_TYPES).filter(([type]) => !NOT_OFFERED.includes(type))
  return html`<form method="post" action="${path}/open${query}" class="actions">
${
  recipients.length > 1
    ? choice(
        'recipient',
        'Recipient',
        recipients.map((address) => [address, printable(address, 80)]),
      )
    : ''
}
<div class="buttons">${button('open', 'Open')}${button('complain', 'Complain')}${button('unsubscribe', 'Unsubscribe')}</div>
${
  links.length > 0
    ? html`<div class="pair">${choice(
        'link',
        'Link',
        links.map((url) => [url, printable(url, 80)]),
      )}${button('click', 'Click')}</div>`
    : ''
}
<div class="pair">${choice(
    'type',
    'Bounce type',
    types.map(([type, { name }]) => [type, name]),
  )}${button('bounce', 'Bounce')}</div>
</form>`
}
