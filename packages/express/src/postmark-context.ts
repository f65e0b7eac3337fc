import { capturePostmark, type PostmarkFields, parseFields, runWithPostmark } from '@postmark-smtp/core'

/**
 * What `app.use` and a route take, in the part that Express 4 and 5 share.
 * It names no type of Express, so it fits @types/express of both majors and needs neither.
 */
export type PostmarkMiddleware<Req extends object> = (req: Req, res: object, next: () => void) => void

/** What re-enters the innermost scope of a request. */
const scopes = new WeakMap<object, ReturnType<typeof capturePostmark>>()

/**
 * Middleware that opens a scope around the rest of the request: each mail sent below it carries the fields.
 * For the whole application or for one route; nested ones merge, the innermost wins.
 *
 * A function is called when a mail is sent, once per mail, so it sees what later middleware puts on the request.
 * It must be synchronous: let a middleware in front wait for what it needs, and leave that on the request.
 * One that throws or returns a promise costs no mail: its fields are left out, with a warning.
 * @example app.use(postmarkContext((req) => ({ metadata: { 'user-id': req.user?.id } })))
 * @example app.post('/newsletter', postmarkContext({ messageStream: 'broadcast' }), handler)
 * @throws PostmarkError ERR_POSTMARK_FIELDS, at once, where fields that are no function break a limit
 */
export function postmarkContext<Req extends object = { params: Record<string,string|string[]> }>(
  fields: PostmarkFields | ((req: Req) => PostmarkFields | null | undefined),
): PostmarkMiddleware<Req> {
  const fixed = typeof fields === 'function' ? undefined : parseFields(fields)
  return (req, _res, next) =>
    runWithPostmark(fixed ?? (() => (fields as (req: Req) => PostmarkFields)(req)), () => {
      scopes.set(req, capturePostmark())
      next()
    })
}

/**
 * Middleware that re-enters the scope of a request behind a body parser that lost it, such as multer 1.
 * Where the scope is still open, or was never opened, it does nothing.
 * @example app.post('/upload', upload.single('file'), reenterPostmark(), handler)
 */
export function reenterPostmark(): PostmarkMiddleware<object> {
  return (req, _res, next) => {
    const enter = scopes.get(req)
    if (enter) enter(next)
    else next()
  }
}
