import { isPostmarkError } from '@postmark-smtp/core'
import type { Context, Hono } from 'hono'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import { MAIL_PARTS } from './content-view.js'
import { FRAME_POLICY, toFrameDocument } from './html-frame.js'
import { actOnMail } from './mail-action.js'
import { mailView } from './mail-view.js'
import { notFoundView } from './not-found-view.js'
import type { PageContext } from './page-context.js'
import { show } from './show.js'

/** A mail, what can be downloaded of it, and what can be done with it. */
export function addMailRoutes(app: Hono, context: PageContext): void {
  const withMail =
    (handle: (c: Context, mail: SandboxMail) => Promise<Response>) =>
    async (c: Context): Promise<Response> => {
      const mail = context.server.findMail(c.req.param('id') ?? '')
      return mail ? handle(c, mail) : show(c, notFoundView(), 404)
    }

  app.get(
    '/mails/:id',
    withMail(async (c, mail) => {
      const part = MAIL_PARTS.find((each) => each === c.req.query('part'))
      return show(c, mailView(context, { mail, content: await mail.parse(), part }))
    }),
  )
  app.get(
    '/mails/:id/html',
    withMail(async (c, mail) => {
      const document = toFrameDocument(await mail.parse())
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
      return file ? download(c, file.content, file.filename || 'attachment') : show(c, notFoundView(), 404)
    }),
  )
  app.post(
    '/mails/:id/:action',
    withMail(async (c, mail) => {
      const form = await readForm(c)
      if (form === undefined) return c.text('The form cannot be read.', 400)
      try {
        const known = await actOnMail(context.server, mail, c.req.param('action') ?? '', form)
        return known ? c.redirect(`/mails/${mail.messageId}`, 303) : show(c, notFoundView(), 404)
      } catch (error) {
        if (!isPostmarkError(error)) throw error
        const content = await mail.parse()
        return show(c, mailView(context, { mail, content, part: undefined, failure: error.message }), 409)
      }
    }),
  )
}

/** The fields of a form, none where nothing was posted; undefined for what is no form. */
async function readForm({ req }: Context): Promise<Readonly<Record<string, unknown>> | undefined> {
  const type = req.header('content-type')
  if (type !== undefined && !/^(?:multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(type)) {
    return undefined
  }
  return req.parseBody().catch(() => undefined)
}

/** Whatever it is, the browser saves it and opens nothing. */
function download(c: Context, bytes: Buffer, filename: string): Response {
  const plain = filename.replace(/[^\w .()+-]/g, '_')
  // encodeURIComponent throws at half a surrogate pair.
  const encoded = encodeURIComponent(filename.toWellFormed()).replace(/['()*]/g, toPercent)
  return c.body(new Uint8Array(bytes), 200, {
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`,
    'Content-Security-Policy': "sandbox; default-src 'none'",
    'X-Content-Type-Options': 'nosniff',
  })
}

const toPercent = (letter: string) => `%${letter.charCodeAt(0).toString(16)}`
