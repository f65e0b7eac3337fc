import { type RequestFields, toRequestReader } from '@postmark-smtp/core/internal'
import { runWithPostmark } from '@postmark-smtp/core/pure'
import type { Context, Env, MiddlewareHandler } from 'hono'
import { refuseUncalled } from './refuse-uncalled.js'

/**
 * Middleware that opens a scope around the rest of the request: each email sent within it carries the fields.
 * Use it for the whole application, a path or one route. Nested scopes merge, and the innermost wins.
 *
 * A function is called once per email, when the email is sent, so it sees what later middleware puts into the context.
 * It must be synchronous. If it throws or returns a promise, the email is sent without its fields, with a warning.
 * @example app.use(postmarkContext((c) => ({ metadata: { tenant: c.req.header('x-tenant') } })))
 * @example app.post('/newsletter', postmarkContext({ messageStream: 'broadcast' }), handler)
 * @throws PostmarkError ERR_POSTMARK_FIELDS, immediately, if the given fields break a limit; ERR_POSTMARK_OPTIONS
 */
export function postmarkContext<E extends Env = Env>(
  fields: RequestFields<Context<E>>,
): MiddlewareHandler<E> {
  refuseUncalled('postmarkContext', fields)
  const read = toRequestReader(fields)
  return (c, next) => runWithPostmark(() => read(c), next)
}
