import { type RequestFields, refuseUnknown, toRequestReader } from '@postmark-smtp/core/internal'
import { runWithPostmark } from '@postmark-smtp/core/pure'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { refuseUnregistered } from './refuse-unregistered.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * The fields of emails sent by this route, in a scope inside that of `postmarkContext`.
     * @example app.post('/signup', { config: { postmark: { tag: 'signup' } } }, handler)
     */
    postmark?: RequestFields<FastifyRequest>
  }
}

/** Options of {@link postmarkContext}. */
export interface PostmarkContextOptions {
  /**
   * Fields, or a function of the request that returns them. The function is called once per email, when the email is sent,
   * so it sees what later hooks put on the request. It must be synchronous. If it throws or returns a promise, the email
   * is sent without its fields, with a warning.
   */
  readonly fields: RequestFields<FastifyRequest>
}

const openScopes: FastifyPluginAsync<PostmarkContextOptions> = async (app, options) => {
  refuseUnregistered('postmarkContext', app, '{ fields }')
  refuseUnknown(options, ['fields'])
  const read = toRequestReader(options.fields)
  app.addHook('onRoute', ({ config }) => {
    if (config?.postmark !== undefined) toRequestReader(config.postmark, 'config.postmark')
  })
  // The scope in which `done` is called stays open: Fastify keeps it through its body parsers.
  app.addHook('onRequest', (request, _reply, done) => {
    runWithPostmark(
      () => read(request),
      () => openRoute(request, done),
    )
  })
}

/** Reads the request, because a route declared before the plugin has loaded does not trigger the onRoute hook. */
function openRoute(request: FastifyRequest, done: () => void): void {
  const { postmark } = request.routeOptions.config
  if (postmark === undefined) done()
  else runWithPostmark(typeof postmark === 'function' ? () => postmark(request) : postmark, done)
}

/**
 * Plugin that opens a scope around each request: each email sent within it carries the fields. It applies to the Fastify
 * instance on which you register it and to that instance's children, including routes declared earlier. Nested scopes
 * merge, and the innermost wins. The fields in a route's `config.postmark` win over all of them.
 * @example app.register(postmarkContext, { fields: (request) => ({ metadata: { 'user-id': request.user?.id } }) })
 * @throws PostmarkError ERR_POSTMARK_FIELDS, at startup, if the given fields break a limit; ERR_POSTMARK_OPTIONS
 */
export const postmarkContext: FastifyPluginAsync<PostmarkContextOptions> = fastifyPlugin(openScopes, {
  fastify: '5.x',
  name: '@postmark-smtp/fastify',
})
