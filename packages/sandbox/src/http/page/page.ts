import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { helpView } from './help-view.js'
import { inboxView } from './inbox-view.js'
import { liveUpdates } from './live-updates.js'
import { filterMails, isFiltered, type MailFilter, readFilter } from './mail-filter.js'
import { addMailRoutes } from './mail-routes.js'
import { notFoundView } from './not-found-view.js'
import type { PageContext, PageOptions } from './page-context.js'
import { PAGE_ICON } from './page-icon.js'
import { PAGE_SCRIPT } from './page-script.js'
import { PAGE_STYLE } from './page-style.js'
import { readForm } from './read-form.js'
import { ReadMarks } from './read-marks.js'
import { show } from './show.js'

const MOST_FORM_BYTES = 100_000

/** The inbox page. It works without its script, which adds live updates, keys and a copy button. */
export function createPage(options: PageOptions): Hono {
  const { server, smtpUrl } = options
  const context: PageContext = { ...options, read: new ReadMarks(), linkChecks: new WeakMap() }
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
  app.post('/delete', async (c) => {
    const filter = await readFilterForm(c)
    if (filter === undefined) return c.text('The form cannot be read.', 400)
    // Without a filter, this would delete all emails by mistake. That has a separate button.
    if (!isFiltered(filter)) return c.text('The form has no filter.', 400)
    server.remove(filterMails(context, filter))
    return c.redirect('/', 303)
  })
  app.post('/read', async (c) => {
    const filter = await readFilterForm(c)
    if (filter === undefined) return c.text('The form cannot be read.', 400)
    context.read.mark(filterMails(context, filter), true)
    return c.redirect('/', 303)
  })
  addMailRoutes(app, context)
  app.onError((error, c) => c.text(`The sandbox failed: ${error.message}`, 500))
  app.notFound((c) => show(c, notFoundView(), 404))
  return app
}

async function readFilterForm(c: Context): Promise<MailFilter | undefined> {
  const form = await readForm(c)
  return (
    form &&
    readFilter((name) => {
      const value = form[name]
      return typeof value === 'string' ? value : undefined
    })
  )
}
