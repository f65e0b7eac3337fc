import { createWebhookHandler, toNodeListener, type WebhookHandlerOptions } from '@postmark-smtp/webhooks'
import type { FastifyPluginAsync, FastifyPluginOptions, FastifyRegisterOptions } from 'fastify'
import { refuseUnregistered } from './refuse-unregistered.js'

/** Options of {@link postmarkWebhooks}. */
export interface PostmarkWebhooksOptions extends WebhookHandlerOptions {
  /** The path of the route, after the `prefix` that it is registered with. Default: `'/webhooks/postmark'`. */
  readonly path?: string | undefined
}

/** What `register` itself takes; it reaches the plugin too. */
type OfRegister = Exclude<FastifyRegisterOptions<FastifyPluginOptions>, (...given: never) => unknown>

/**
 * Plugin with the route that Postmark's webhooks post to. It reads the body itself, in a context of its own: the content
 * type parsers of the application, and their limits, stay out of it. Handlers run in a clean scope, not in the scope
 * of the request.
 * @example app.register(postmarkWebhooks, { auth: { basic: { username, password } }, on: { bounced } })
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, at start, where no secret is given, too
 */
export const postmarkWebhooks: FastifyPluginAsync<PostmarkWebhooksOptions> = async (app, given) => {
  refuseUnregistered('postmarkWebhooks', app, '{ auth, on }')
  const {
    prefix: _prefix,
    logLevel: _level,
    logSerializers: _serializers,
    path,
    ...options
  } = given as OfRegister & PostmarkWebhooksOptions
  const listen = toNodeListener(createWebhookHandler(options))
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.post(path ?? '/webhooks/postmark', (request, reply) => {
    // Without this, Fastify answers by itself.
    reply.hijack()
    return listen(request.raw, reply.raw)
  })
}
