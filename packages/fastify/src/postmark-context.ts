import { type RequestFields, refuseUnknown, toRequestReader } from '@postmark-smtp/core/internal'
import { runWithPostmark } from '@postmark-smtp/core/pure'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { refuseUnregistered } from './refuse-unregistered.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * The fields of this route's mails, in a scope within that of `postmarkContext`.
     * @example app.post('/signup', { config: { postmark: { tag: 'signup' } } }, handler)
     */
    postmark?: RequestFields<FastifyRequest>
  }
}

/** Options of {@link postmarkContext}. */
export interface PostmarkContextOptions {
  /**
   * Fields, or a function of the request that returns some. It is called when a mail is sent, once per mail, so it sees
   * what later hooks put on the request. It must be synchronous; one that throws or returns a promise loses no mail:
   * its fields are left out, with a warning.
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
  // What is open where `done` is called stays open: Fastify keeps it over its body parsers.
  app.addHook('onRequest', (request, _reply, done) => {
    runWithPostmark(
      () => read(request),
      () => openRoute(request, done),
    )
  })
}

/** Read from the request, since a route that is declared before the plugin has loaded passes no onRoute hook. */
function openRoute(request: FastifyRequest, done: () => void): void {
  const { postmark } = request.routeOptions.config
  if (postmark === undefined) done()
  else runWithPostmark(typeof postmark === 'function' ? () => postmark(request) : postmark, done)
}

/**
 * Plugin that opens a scope around each request: every mail that is sent within it carries the fields. It applies to
 * the Fastify instance that it is registered on and to that instance's children, also to routes declared before it.
 * Nested ones merge, the innermost wins; the fields of a route's `config.postmark` win over them.
 * @example app.register(postmarkContext, { fields: (request) => ({ metadata: { 'user-id': request.user?.id } }) })
 * @throws PostmarkError ERR_POSTMARK_FIELDS, at start, where fields that are no function break a limit; ERR_POSTMARK_OPTIONS
 */
export const postmarkContext: FastifyPluginAsync<PostmarkContextOptions> = fastifyPlugin(openScopes, {
  fastify: '5.x',
  name: '@postmark-smtp/fastify',
})
