import { uncalledError } from '@postmark-smtp/core/internal'

/**
 * Refuses a context where options belong: Hono was given the function that makes a middleware, as the middleware.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function refuseUncalled(name: string, given: unknown): void {
  if ((given as { req?: { raw?: unknown } } | null | undefined)?.req?.raw instanceof Request)
    throw uncalledError(name)
}
