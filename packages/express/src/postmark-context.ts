import { toRequestReader } from '@postmark-smtp/core/internal'
import { capturePostmark, type PostmarkFields, runWithPostmark } from '@postmark-smtp/core/pure'
import { refuseUncalled } from './refuse-uncalled.js'

declare global {
  namespace Express {
    /** Empty until applications and libraries add to it, for example `user`. */
    interface Request {}
  }
}

/**
 * The request that a context function gets on a route with a path, because TypeScript cannot tell there which Express
 * it comes from. For more members, name the type: `postmarkContext<Request>(…)`.
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
 * What `app.use` and a route accept in both Express 4 and 5. It names no type of Express, so it fits @types/express of
 * both majors and needs neither. From `object`, TypeScript infers nothing for other handlers.
 */
export type PostmarkMiddleware<Req extends object = object> = (
  req: RequestLike extends Req ? object : Req,
  res: object,
  next: () => void,
) => void

/** The property of a request that re-enters its innermost scope, shared by all installed copies of this package. */
const REENTER = Symbol.for('@postmark-smtp/express/1')

/** A property, because a WeakMap costs 5 µs per request and this costs 0.1. */
interface Bound {
  [REENTER]?: ReturnType<typeof capturePostmark>
}

/**
 * Middleware that opens a scope around the rest of the request: each email sent within it carries the fields.
 * Use it for the whole application, a router or one route. Nested scopes merge, and the innermost wins.
 *
 * A function is called once per email, when the email is sent, so it sees what later middleware puts on the request.
 * It must be synchronous: let an earlier middleware wait for what it needs and store it on the request.
 * If it throws or returns a promise, the email is sent without its fields, with a warning.
 * @example app.use(postmarkContext((req) => ({ metadata: { 'user-id': req.user?.id } })))
 * @example app.post('/newsletter', postmarkContext({ messageStream: 'broadcast' }), handler)
 * @throws PostmarkError ERR_POSTMARK_FIELDS, immediately, if the given fields break a limit; ERR_POSTMARK_OPTIONS
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
 * It does nothing if the scope is still open or was never opened.
 * @example app.post('/upload', upload.single('file'), reenterPostmark(), handler)
 * @throws PostmarkError ERR_POSTMARK_OPTIONS if it is registered without its parentheses
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
