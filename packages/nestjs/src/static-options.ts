import type { ModuleRef } from '@nestjs/core'
import { PostmarkError } from '@postmark-smtp/core'

/** What a module provides for the whole application; undefined where it depends on the request. */
export function getStatic<T extends object>(modules: ModuleRef, token: string | symbol): T | undefined {
  try {
    return modules.get<T>(token, { strict: true })
  } catch {
    // Nest refuses to give what is request-scoped. A module of ours always has the tokens that are asked for here.
    return undefined
  }
}

/**
 * Reads the options of a module, which are made once. Where they depend on the request, Nest leaves them, and all
 * that injects them, unmade until a request comes: the transporter, or the memory of events, would be one per request.
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
