import { uncalledError } from '@postmark-smtp/core/internal'

/**
 * Throws if it gets a context instead of options: the function that creates a middleware was registered as the middleware.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function refuseUncalled(name: string, given: unknown): void {
  if ((given as { req?: { raw?: unknown } } | null | undefined)?.req?.raw instanceof Request)
    throw uncalledError(name)
}
