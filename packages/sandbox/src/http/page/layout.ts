import { html } from 'hono/html'

/** Markup whose values are escaped. */
export type Markup = ReturnType<typeof html>

/** Nothing comes from elsewhere, and nothing runs except the page's own script. */
export const PAGE_POLICY: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** A whole page. */
export function layout(title: string, current: 'inbox' | 'mail' | 'help', main: Markup): Markup {
  const link = (name: typeof current, path: string, text: string) =>
    html`<a href="${path}" id="to-${name}"${current === name ? html` aria-current="page"` : ''}>${text}</a>`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Postmark sandbox</title>
<link rel="icon" href="/assets/icon.svg">
<link rel="stylesheet" href="/assets/page.css">
<script src="/assets/page.js" type="module"></script>
</head>
<body data-page="${current}">
<a class="skip" href="#main">Skip to content</a>
<header class="bar">
<span class="brand"><img src="/assets/icon.svg" alt="" width="20" height="20"> Postmark sandbox</span>
<nav aria-label="Pages">${link('inbox', '/', 'Inbox')} ${link('help', '/help', 'Help')}</nav>
<span class="live" id="live"><noscript><a href="">Reload</a></noscript></span>
</header>
<main id="main" tabindex="-1">
${main}
</main>
</body>
</html>`
}
