import { IncomingMessage } from 'node:http'
import { uncalledError } from '@postmark-smtp/core/internal'

/**
 * Refuses a request where options belong: Express was given the function that makes a middleware, as the middleware.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function refuseUncalled(name: string, given: unknown): void {
  if (given instanceof IncomingMessage) throw uncalledError(name)
}
