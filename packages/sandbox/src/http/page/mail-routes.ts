import { isPostmarkError } from '@postmark-smtp/core'
import type { Context, Hono } from 'hono'
import { checkLinks } from '../../checks/link-check.js'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import { FRAME_POLICY, toFrameDocument } from './html-frame.js'
import { inlineImageType } from './inline-image.js'
import { actOnMail } from './mail-action.js'
import { findInList } from './mail-filter.js'
import { placeQuery, readPlace } from './mail-place.js'
import { listPath, mailView } from './mail-view.js'
import { notFoundView } from './not-found-view.js'
import type { PageContext } from './page-context.js'
import { readForm } from './read-form.js'
import { show } from './show.js'

/** The routes of an email: its page, its downloads and its actions. */
export function addMailRoutes(app: Hono, context: PageContext): void {
  const withMail =
    (handle: (c: Context, mail: SandboxMail) => Promise<Response>) =>
    async (c: Context): Promise<Response> => {
      const mail = context.server.findMail(c.req.param('id') ?? '')
      return mail ? handle(c, mail) : show(c, notFoundView(), 404)
    }

  const showMail = async (c: Context, mail: SandboxMail, failure?: string) => {
    const content = await mail.parse()
    const view = mailView(context, { mail, content, place: placeOf(c) }, failure)
    return show(c, view, failure === undefined ? 200 : 409)
  }

  app.get(
    '/mails/:id',
    withMail(async (c, mail) => {
      // A page that only refreshes itself does not mark the email as read: another window may have marked it as unread.
      if (c.req.header(REFRESH) === undefined) context.read.mark([mail], true)
      return showMail(c, mail)
    }),
  )
  app.get(
    '/mails/:id/html',
    withMail(async (c, mail) => {
      const document = toFrameDocument(await mail.parse(), placeOf(c).scheme)
      return c.html(document, 200, {
        'Content-Security-Policy': FRAME_POLICY,
        'X-DNS-Prefetch-Control': 'off',
      })
    }),
  )
  app.get(
    '/mails/:id/source',
    withMail(async (c, mail) => download(c, mail.raw, `${mail.id}.eml`)),
  )
  app.get(
    '/mails/:id/attachments/:index',
    withMail(async (c, mail) => {
      const { attachments } = await mail.parse()
      const file = attachments[Number(c.req.param('index'))]
      if (!file) return show(c, notFoundView(), 404)
      const type = c.req.query('inline') === undefined ? undefined : inlineImageType(file.content)
      return type === undefined
        ? download(c, file.content, file.filename || 'attachment')
        : c.body(new Uint8Array(file.content), 200, { 'Content-Type': type, ...FILE_HEADERS })
    }),
  )
  app.post(
    '/mails/:id/unread',
    withMail(async (c, mail) => {
      context.read.mark([mail], false)
      return c.redirect(pathInList(c, mail), 303)
    }),
  )
  app.post(
    '/mails/:id/delete',
    withMail(async (c, mail) => {
      const { filter } = placeOf(c)
      const { older, newer } = findInList(context, filter, mail)
      context.server.remove([mail])
      const next = older ?? newer
      return c.redirect(next ? pathInList(c, next) : '/', 303)
    }),
  )
  app.post(
    '/mails/:id/check-links',
    withMail(async (c, mail) => {
      const isAllowed = context.checkPrivateLinks ? { isAllowed: () => true } : {}
      context.linkChecks.set(mail, await checkLinks(mail.links(), { ...isAllowed, signal: c.req.raw.signal }))
      return c.redirect(`/mails/${mail.messageId}${placeQuery({ ...placeOf(c), part: 'links' })}`, 303)
    }),
  )
  app.post(
    '/mails/:id/:action',
    withMail(async (c, mail) => {
      const form = await readForm(c)
      if (form === undefined) return c.text('The form cannot be read.', 400)
      try {
        const known = await actOnMail(context.server, mail, c.req.param('action') ?? '', form)
        return known
          ? c.redirect(`/mails/${mail.messageId}${placeQuery(placeOf(c))}`, 303)
          : show(c, notFoundView(), 404)
      } catch (error) {
        if (!isPostmarkError(error)) throw error
        return showMail(c, mail, error.message)
      }
    }),
  )

  function pathInList(c: Context, mail: SandboxMail): string {
    const { filter } = placeOf(c)
    return listPath(filter, findInList(context, filter, mail), mail)
  }
}

/** The header that the script of the page sends when it refreshes the page. */
const REFRESH = 'sandbox-refresh'

function placeOf(c: Context) {
  return readPlace((name) => c.req.query(name))
}

/** The browser saves the file, whatever it is, and does not open it. */
function download(c: Context, bytes: Buffer, filename: string): Response {
  const plain = filename.replace(/[^\w .()+-]/g, '_')
  // encodeURIComponent throws at half a surrogate pair.
  const encoded = encodeURIComponent(filename.toWellFormed()).replace(/['()*]/g, toPercent)
  return c.body(new Uint8Array(bytes), 200, {
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`,
    ...FILE_HEADERS,
  })
}

const FILE_HEADERS = {
  'Content-Security-Policy': "sandbox; default-src 'none'",
  'X-Content-Type-Options': 'nosniff',
}

const toPercent = (letter: string) => `%${letter.charCodeAt(0).toString(16)}`
