import { html } from 'hono/html'
import { layout, type Markup } from './layout.js'

/** The page for a path that does not exist, or no longer exists. */
export function notFoundView(): Markup {
  return layout(
    'Not found',
    'help',
    html`<h1>Not found</h1><p>This page does not exist. An email may have been deleted, or removed to make room for newer ones.</p><p><a href="/">Go to the inbox</a></p>`,
  )
}
