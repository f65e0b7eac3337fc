import { type RequestFields, toRequestReader } from '@postmark-smtp/core/internal'
import { runWithPostmark } from '@postmark-smtp/core/pure'
import type { Context, Env, MiddlewareHandler } from 'hono'
import { refuseUncalled } from './refuse-uncalled.js'

/**
 * Middleware that opens a scope around the rest of the request: every mail that is sent within it carries the fields.
 * For the whole application, a path or one route; nested ones merge, the innermost wins.
 *
 * A function is called when a mail is sent, once per mail, so it sees what later middleware puts into the context.
 * It must be synchronous; one that throws or returns a promise loses no mail: its fields are left out, with a warning.
 * @example app.use(postmarkContext((c) => ({ metadata: { tenant: c.req.header('x-tenant') } })))
 * @example app.post('/newsletter', postmarkContext({ messageStream: 'broadcast' }), handler)
 * @throws PostmarkError ERR_POSTMARK_FIELDS, at once, where fields that are no function break a limit; ERR_POSTMARK_OPTIONS
 */
export function postmarkContext<E extends Env = Env>(
  fields: RequestFields<Context<E>>,
): MiddlewareHandler<E> {
  refuseUncalled('postmarkContext', fields)
  const read = toRequestReader(fields)
  return (c, next) => runWithPostmark(() => read(c), next)
}
