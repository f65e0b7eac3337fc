import { html } from 'hono/html'
import { connectView } from './connect-view.js'
import { layout, type Markup } from './layout.js'

const KEYS: readonly (readonly [keys: readonly string[], what: string])[] = [
  [['j', '↓'], 'next email of the list (inside an email, only j)'],
  [['k', '↑'], 'previous email of the list (inside an email, only k)'],
  [['Enter'], 'open the email'],
  [['u'], 'mark the email as unread'],
  [['/'], 'go to the text filter'],
  [['Esc'], 'leave a field, or go back to the email in the list'],
  [['?'], 'show this help'],
]

/** Keys, words and the connection. */
export function helpView(smtpUrl: string): Markup {
  return layout(
    'Help',
    'help',
    html`<h1>Help</h1>
<section class="card"><h2>Keys</h2>
<dl class="keys">${KEYS.map(([keys, what]) => html`<dt>${keys.map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${what}</dd>`)}</dl></section>
<section class="card"><h2>Verdict</h2>
<p>Postmark answers <code>250</code> to nearly every email over SMTP. If it refuses one, the error comes later, as a bounce of the type SMTPApiError. The sandbox shows this immediately: an email is <strong>refused</strong>, with the error code of Postmark’s API, or <strong>sent</strong>. The status of a sent email is the most important thing that has happened to it since.</p></section>
<section class="card">${connectView(smtpUrl, 'Connect')}</section>`,
  )
}
