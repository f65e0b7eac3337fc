import { PostmarkError } from '@postmark-smtp/core/pure'

/**
 * Throws if it does not get a Fastify instance: the plugin was called directly, or used as a hook or a handler.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function refuseUnregistered(name: string, given: unknown, options: string): void {
  if (typeof (given as { addHook?: unknown } | undefined)?.addHook === 'function') return
  const hint = `Register it: app.register(${name}, ${options}).`
  throw new PostmarkError(
    'ERR_POSTMARK_OPTIONS',
    `${name} is a Fastify plugin, but was called directly, or used as a hook or a handler. ${hint}`,
    { hint },
  )
}
