import { html } from 'hono/html'
import { layout, type Markup } from './layout.js'

/** There is no such page, or no longer. */
export function notFoundView(): Markup {
  return layout(
    'Not found',
    'help',
    html`<h1>Not found</h1><p>There is no such page. A mail may have been cleared, or was the oldest of too many.</p><p><a href="/">To the inbox</a></p>`,
  )
}
