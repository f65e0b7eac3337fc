import { API_ERRORS } from '@postmark-smtp/core'
import { html } from 'hono/html'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import type { VerdictProblem } from '../../mail/verdict.js'
import type { Markup } from './layout.js'
import { printable } from './printable.js'

const MOST_SHOWN = 50

/** What Postmark would have done with an email, and why. */
export function verdictView({ verdict, stream, envelope }: SandboxMail): Markup {
  const { outcome, problems, notes } = verdict
  const count = envelope.to.length
  const recipients = `${count} ${count === 1 ? 'recipient' : 'recipients'}`
  return html`<section class="verdict ${outcome}" aria-labelledby="verdict">
${
  outcome === 'sent'
    ? html`<h2 id="verdict">Postmark would send this email</h2><p>To ${recipients}, on the message stream <code>${printable(stream)}</code>.</p>`
    : html`<h2 id="verdict">Postmark would refuse this email</h2><p>It answers <code>250</code> over SMTP and sends nothing. The error comes later, as a bounce of the type SMTPApiError.</p>
<ol class="problems">${problems.slice(0, MOST_SHOWN).map(problemView)}</ol>`
}
${notes.length > 0 ? html`<h3>Notes</h3><ul class="notes">${notes.slice(0, MOST_SHOWN).map((note) => html`<li>${prose(note)}</li>`)}</ul>` : ''}
</section>`
}

function problemView({ errorCode, message, path, cure }: VerdictProblem): Markup {
  const name = API_ERRORS[errorCode]?.name ?? 'Refused'
  return html`<li><dl><dt>Code</dt><dd><strong class="code">${errorCode}</strong> ${name}</dd><dt>Problem</dt><dd>${prose(message)}</dd><dt>Where</dt><dd><code>${printable(path)}</code></dd><dt>Fix</dt><dd>${prose(cure)}</dd></dl></li>`
}

/** Formats text in backticks as code. */
function prose(text: string): (Markup | string)[] {
  return printable(text, 1000)
    .split('`')
    .map((piece, index) => (index % 2 === 1 ? html`<code>${piece}</code>` : piece))
}
