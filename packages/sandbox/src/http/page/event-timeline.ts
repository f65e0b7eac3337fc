import { html } from 'hono/html'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import type { SandboxEvent } from '../../server/sandbox-event.js'
import type { WebhookAttempt } from '../../webhooks/webhook-attempt.js'
import type { Markup } from './layout.js'
import type { PageContext } from './page-context.js'
import { printable, printableLines } from './printable.js'
import { longTime } from './time.js'

const MOST_SHOWN = 100
const MAX_PAYLOAD = 20_000

/** What happened to an email, and what was posted to the webhooks. */
export function eventTimeline({ server, webhooks }: PageContext, mail: SandboxMail): Markup {
  const events = server.eventsOf(mail)
  return html`<ol class="timeline">
<li><strong>Accepted</strong> ${longTime(mail.receivedAt)}<p><code>250 2.0.0 Ok: queued as ${mail.id}</code></p></li>
${events.slice(-MOST_SHOWN).map((event) => eventView(event, webhooks))}
</ol>
${events.length > MOST_SHOWN ? html`<p class="note">The last ${MOST_SHOWN} of ${events.length} events.</p>` : ''}
${webhooks.list.length === 0 ? html`<p class="note">No webhook is set up, so nothing was posted.</p>` : ''}`
}

function eventView(event: SandboxEvent, webhooks: PageContext['webhooks']): Markup {
  const attempts = webhooks.attemptsOf(event)
  const { recordType, at, recipient, bounce, payload } = event
  const detail = bounce
    ? `${bounce.name}${bounce.errorCode === undefined ? '' : ` ${bounce.errorCode}`}: ${bounce.details}`
    : payload.OriginalLink
  return html`<li class="${recordType}"><strong>${LABELS[recordType]}</strong> ${longTime(at)}<p><bdi>${printable(recipient)}</bdi></p>${typeof detail === 'string' ? html`<p>${printable(detail, 500)}</p>` : ''}
<details><summary>Payload</summary><pre>${printableLines(JSON.stringify(payload, null, 2), MAX_PAYLOAD)}</pre></details>
${attempts.length > 0 ? html`<ul class="attempts" aria-label="Webhook attempts">${attempts.slice(-MOST_SHOWN).map(attemptView)}</ul>` : ''}${webhooks.isWithheld(event) ? WITHHELD : ''}</li>`
}

const WITHHELD: Markup = html`<p class="note">Not posted, because EnableSmtpApiErrorHooks is off, as it is at Postmark by default. Switch it on with <code>settings: { enableSmtpApiErrorHooks: true }</code> or <code>--smtp-api-error-hooks</code>.</p>`

function attemptView({ url, attempt, at, status, error, outcome, nextAt }: WebhookAttempt): Markup {
  return html`<li class="${outcome}"><span class="reply">${status ?? 'no reply'}</span> <span>${printable(url, 300)}</span> <span>attempt ${attempt}, ${longTime(at)}${error === undefined ? '' : `, ${printable(error, 300)}`}${nextAt === undefined ? '' : html`, next ${longTime(nextAt)}`}${outcome === 'dropped' ? ', dropped' : ''}</span></li>`
}

const LABELS: Readonly<Record<SandboxEvent['recordType'], string>> = {
  Delivery: 'Delivered',
  Bounce: 'Bounced',
  SpamComplaint: 'Spam complaint',
  Open: 'Opened',
  Click: 'Clicked',
  SubscriptionChange: 'Subscription changed',
}
