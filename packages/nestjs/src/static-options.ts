import type { ModuleRef } from '@nestjs/core'
import { PostmarkError } from '@postmark-smtp/core'

/** Returns a provider of a module; undefined if it depends on the request. */
export function getStatic<T extends object>(modules: ModuleRef, token: string | symbol): T | undefined {
  try {
    return modules.get<T>(token, { strict: true })
  } catch {
    // Nest throws for a request-scoped provider. Our modules always have the tokens that are asked for here.
    return undefined
  }
}

/**
 * Reads the options of a module, which are created once. If they depend on the request, Nest creates them, and
 * everything that injects them, once per request: each would have its own transporter, or its own memory of events.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function readStaticOptions<T extends object>(
  modules: ModuleRef,
  token: string | symbol,
  where: string,
  cure: string,
): T {
  const options = getStatic<T>(modules, token)
  if (options) return options
  throw new PostmarkError(
    'ERR_POSTMARK_OPTIONS',
    `${where}: the options depend on the request (REQUEST, or a request-scoped provider), but are read once. ${cure}`,
    { hint: cure },
  )
}
