import { IncomingMessage } from 'node:http'
import { PostmarkError } from '@postmark-smtp/core/pure'

/**
 * Refuses a request where options belong: Express was given the function that makes a middleware, as the middleware.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function refuseUncalled(name: string, given: unknown): void {
  if (!(given instanceof IncomingMessage)) return
  const hint = `Call it where you register it: app.use(${name}(…)).`
  throw new PostmarkError(
    'ERR_POSTMARK_OPTIONS',
    `${name} makes the middleware, and was registered as the middleware itself. ${hint}`,
    { hint },
  )
}
