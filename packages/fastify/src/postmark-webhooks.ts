import { createWebhookHandler, toNodeListener, type WebhookHandlerOptions } from '@postmark-smtp/webhooks'
import type { FastifyPluginAsync, FastifyPluginOptions, FastifyRegisterOptions } from 'fastify'
import { refuseUnregistered } from './refuse-unregistered.js'

/** Options of {@link postmarkWebhooks}. */
export interface PostmarkWebhooksOptions extends WebhookHandlerOptions {
  /** The path of the route, after any `prefix` given to `register`. Default: `'/webhooks/postmark'`. */
  readonly path?: string | undefined
}

/** The options of `register` itself, which the plugin gets as well. */
type OfRegister = Exclude<FastifyRegisterOptions<FastifyPluginOptions>, (...given: never) => unknown>

/**
 * Plugin that adds the route that Postmark's webhooks post to. It reads the body itself, in its own context, so the
 * application's content type parsers and their limits do not apply. Handlers run in a clean scope, not in the scope of
 * the request.
 * @example app.register(postmarkWebhooks, { auth: { basic: { username, password } }, on: { bounced } })
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, at startup, also if no secret is given
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
    // Without this, Fastify sends a reply itself.
    reply.hijack()
    return listen(request.raw, reply.raw)
  })
}
