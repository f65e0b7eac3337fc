import { toRequestReader } from '@postmark-smtp/core/internal'
import { capturePostmark, type PostmarkFields, runWithPostmark } from '@postmark-smtp/core/pure'
import { refuseUncalled } from './refuse-uncalled.js'

declare global {
  namespace Express {
    /** Applications and libraries add to it, such as `user`; it is empty until then. */
    interface Request {}
  }
}

/**
 * A request as a context function sees it on a route with a path, where TypeScript cannot tell which Express it
 * comes from. For more, name the type: `postmarkContext<Request>(…)`.
 */
export interface RequestLike extends Express.Request {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly params: Readonly<Record<string, string | string[]>>
  readonly query: Readonly<Record<string, unknown>>
  readonly body: unknown
  readonly originalUrl: string
  readonly ip?: string | undefined
  get(name: string): string | undefined
}

/**
 * What `app.use` and a route take, in the part that Express 4 and 5 share. It names no type of Express, so it fits
 * @types/express of both majors and needs neither; and from `object` TypeScript infers nothing for other handlers.
 */
export type PostmarkMiddleware<Req extends object = object> = (
  req: RequestLike extends Req ? object : Req,
  res: object,
  next: () => void,
) => void

/** Where a request keeps what re-enters its innermost scope; shared by all installed copies of this package. */
const REENTER = Symbol.for('@postmark-smtp/express/1')

/** A property, since a WeakMap costs 5 µs per request where this costs 0.1. */
interface Bound {
  [REENTER]?: ReturnType<typeof capturePostmark>
}

/**
 * Middleware that opens a scope around the rest of the request: each mail sent below it carries the fields.
 * For the whole application or for one route; nested ones merge, the innermost wins.
 *
 * A function is called when a mail is sent, once per mail, so it sees what later middleware puts on the request.
 * It must be synchronous: let a middleware in front wait for what it needs, and leave that on the request.
 * One that throws or returns a promise stops no mail: its fields are left out, with a warning.
 * @example app.use(postmarkContext((req) => ({ metadata: { 'user-id': req.user?.id } })))
 * @example app.post('/newsletter', postmarkContext({ messageStream: 'broadcast' }), handler)
 * @throws PostmarkError ERR_POSTMARK_FIELDS, at once, where fields that are no function break a limit; ERR_POSTMARK_OPTIONS
 */
export function postmarkContext<Req extends object = RequestLike>(
  fields: PostmarkFields | ((req: Req) => PostmarkFields | null | undefined),
): PostmarkMiddleware<Req> {
  refuseUncalled('postmarkContext', fields)
  const read = toRequestReader(fields)
  return (req, _res, next) =>
    runWithPostmark(
      () => read(req as Req),
      () => {
        const bound: Bound = req
        bound[REENTER] = capturePostmark()
        next()
      },
    )
}

/**
 * Middleware that re-enters the scope of a request after a body parser that lost it, such as multer 1.
 * Where the scope is still open, or was never opened, it does nothing.
 * @example app.post('/upload', upload.single('file'), reenterPostmark(), handler)
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, where it was registered without its parentheses
 */
export function reenterPostmark(): PostmarkMiddleware
export function reenterPostmark(request?: unknown): PostmarkMiddleware {
  refuseUncalled('reenterPostmark', request)
  return (req, _res, next) => {
    const { [REENTER]: reenter }: Bound = req
    if (reenter) reenter(next)
    else next()
  }
}
