import type { HttpServer } from '@nestjs/common'
import { runWithPostmark } from '@postmark-smtp/core'
import type { PostmarkContextOptions, PostmarkRequest } from './postmark-module-options.interface.js'

/** What Express's middleware and Fastify's hooks have in common. */
type OpenScope = (request: PostmarkRequest, response: object, next: () => void) => void

/** The part of a Fastify instance used here. */
interface HookHost {
  addHook(name: 'onRequest', hook: OpenScope): void
}

/** Opens a scope for each request that the adapter serves, before its guards. */
export function openRequestScope(
  adapter: HttpServer,
  read: NonNullable<PostmarkContextOptions['context']>,
): void {
  const openScope: OpenScope = (request, _response, next) => runWithPostmark(() => read(request), next)
  // On Fastify, middleware gets Node's own request, which does not have the `request.user` that a guard sets.
  if (adapter.getType() === 'fastify') (adapter.getInstance() as HookHost).addHook('onRequest', openScope)
  else adapter.use(openScope)
}
