import { html } from 'hono/html'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import { toStreamLabel } from '../../mail/stream-label.js'
import type { Markup } from './layout.js'
import { printable } from './printable.js'

const MOST_SHOWN = 50

/** The fields that Postmark would read, and how the mail came in. */
export function fieldList(mail: SandboxMail): Markup {
  const { postmark, messageId, id, envelope, secure, hostType, raw } = mail
  const { tag, metadata, messageStream: _stream, ...others } = postmark
  const rows: [string, Markup | string][] = [
    ['Message stream', html`<code>${printable(toStreamLabel(mail))}</code>`],
    ['Tag', tag ? html`<code>${printable(tag, 1000)}</code>` : '–'],
    ...Object.entries(others).map(([field, value]): [string, string] => [field, printable(String(value))]),
    ['MessageID', html`<code>${messageId}</code>`],
    ['Queue ID', html`<code>${id}</code>`],
    [
      'Envelope',
      html`<bdi>${printable(envelope.from) || '<>'}</bdi> to <bdi>${printable(envelope.to.join(', '), 2000)}</bdi>`,
    ],
    [
      'Came',
      `${secure ? 'over TLS' : 'without TLS'}${hostType === undefined ? '' : `, ${hostType} host`}, ${raw.length} bytes`,
    ],
  ]
  const entries = Object.entries(metadata ?? {})
  return html`<dl class="facts">${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
<h3>Metadata</h3>
${
  entries.length === 0
    ? html`<p class="note">None.</p>`
    : html`<table class="metadata"><caption class="hidden">Metadata</caption><tbody>${entries.slice(0, MOST_SHOWN).map(([key, value]) => html`<tr><th scope="row">${printable(key)}</th><td>${printable(String(value))}</td></tr>`)}</tbody></table>`
}`
}
