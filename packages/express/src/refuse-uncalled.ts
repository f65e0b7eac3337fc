import { IncomingMessage } from 'node:http'
import { uncalledError } from '@postmark-smtp/core/internal'

/**
 * Throws if it gets a request instead of options: the function that creates a middleware was registered as the middleware.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function refuseUncalled(name: string, given: unknown): void {
  if (given instanceof IncomingMessage) throw uncalledError(name)
}
