import { html } from 'hono/html'
import type { Markup } from './layout.js'

/** How to send the first email. */
export function connectView(smtpUrl: string, title: string): Markup {
  const url = new URL(smtpUrl)
  const token = decodeURIComponent(url.username)
  return html`<h2>${title}</h2>
<p>Use this connection URL in your application, and send an email.</p>
<p class="copy"><code id="smtp-url">${smtpUrl}</code><button type="button" data-copy="smtp-url" hidden>Copy</button></p>
<pre><code>import { createPostmarkTransport } from '@postmark-smtp/core'

const transport = createPostmarkTransport(process.env.POSTMARK_URL)
await transport.sendMail({ from, to, subject, text, postmark: { tag: 'welcome' } })</code></pre>
<p>For any other SMTP client:</p>
<dl class="facts"><dt>Host</dt><dd>${url.hostname}</dd><dt>Port</dt><dd>${url.port}</dd><dt>User name</dt><dd><code>${token}</code></dd><dt>Password</dt><dd>the same as the user name</dd></dl>`
}
