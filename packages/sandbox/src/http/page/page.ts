import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { helpView } from './help-view.js'
import { inboxView } from './inbox-view.js'
import { liveUpdates } from './live-updates.js'
import { readFilter } from './mail-filter.js'
import { addMailRoutes } from './mail-routes.js'
import { notFoundView } from './not-found-view.js'
import type { PageContext } from './page-context.js'
import { PAGE_ICON } from './page-icon.js'
import { PAGE_SCRIPT } from './page-script.js'
import { PAGE_STYLE } from './page-style.js'
import { show } from './show.js'

const MOST_FORM_BYTES = 100_000

/** The inbox page. All of it works without its script, which adds live updates, keys and a copy button. */
export function createPage(context: PageContext): Hono {
  const { server, smtpUrl } = context
  const app = new Hono()
  const asset = (path: string, type: string, text: string) =>
    app.get(path, (c) => c.body(text, 200, { 'Content-Type': `${type}; charset=utf-8` }))
  asset('/assets/page.css', 'text/css', PAGE_STYLE)
  asset('/assets/page.js', 'text/javascript', PAGE_SCRIPT)
  asset('/assets/icon.svg', 'image/svg+xml', PAGE_ICON)

  app.get('/', (c) =>
    show(
      c,
      inboxView(
        context,
        readFilter((name) => c.req.query(name)),
        Number(c.req.query('page')),
      ),
    ),
  )
  app.get('/help', (c) => show(c, helpView(smtpUrl)))
  app.get('/events', (c) => liveUpdates(c, context))
  app.post('*', bodyLimit({ maxSize: MOST_FORM_BYTES }))
  app.post('/clear', (c) => {
    server.clear()
    return c.redirect('/', 303)
  })
  addMailRoutes(app, context)
  app.notFound((c) => show(c, notFoundView(), 404))
  return app
}
