import {
  createWebhookHandler,
  type NodeListener,
  toNodeListener,
  type WebhookHandlerOptions,
} from '@postmark-smtp/webhooks'
import { refuseUncalled } from './refuse-uncalled.js'

/**
 * Creates the handler for the route that Postmark's webhooks post to. It works with or without a body parser before it,
 * but Express's parser has a limit of 100 KB: a bounce that quotes its email can be larger, and Postmark does not retry
 * after a 413. Handlers run in a clean scope, not in the scope of the request.
 * @example app.post('/webhooks/postmark', postmarkWebhooks({ auth: { basic: { username, password } }, on: { bounced } }))
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, immediately, also if no secret is given
 */
export function postmarkWebhooks(options: WebhookHandlerOptions): NodeListener {
  refuseUncalled('postmarkWebhooks', options)
  return toNodeListener(createWebhookHandler(options))
}
