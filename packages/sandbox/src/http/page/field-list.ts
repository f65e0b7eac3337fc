import { html } from 'hono/html'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import { toStreamLabel } from '../../mail/stream-label.js'
import type { Markup } from './layout.js'
import { printable } from './printable.js'

const MOST_SHOWN = 50

/** The fields that Postmark would read, and how the email came in. */
export function fieldList(mail: SandboxMail): Markup {
  const { postmark, messageId, id, envelope, secure, hostType, raw } = mail
  const { tag, metadata, messageStream: _stream, ...others } = postmark
  const rows: [string, Markup | string][] = [
    ['Message stream', html`<code>${printable(toStreamLabel(mail))}</code>`],
    ['Tag', tag ? tagText(tag) : '–'],
    ...Object.entries(others).map(([field, value]): [string, string] => [field, printable(String(value))]),
    ['MessageID', html`<code>${messageId}</code>`],
    ['Queue ID', html`<code>${id}</code>`],
    [
      'Envelope',
      html`<bdi>${printable(envelope.from) || '<>'}</bdi> to <bdi>${printable(envelope.to.join(', '), 300)}</bdi>`,
    ],
    [
      'Received',
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

const LONGEST_TAG = 80

/** Shortens a long tag: it may have a thousand characters, which would fill the panel. */
function tagText(tag: string): Markup {
  return tag.length <= LONGEST_TAG
    ? html`<code>${printable(tag)}</code>`
    : html`<details><summary><code>${printable(tag, LONGEST_TAG)}</code> (${tag.length} characters)</summary><code>${printable(tag, 1100)}</code></details>`
}
