import {
  createWebhookHandler,
  type NodeListener,
  toNodeListener,
  type WebhookHandlerOptions,
} from '@postmark-smtp/webhooks'
import { refuseUncalled } from './refuse-uncalled.js'

/**
 * The route that Postmark's webhooks post to. It works with or without a body parser before it; mind that parser's own limit,
 * which is 100 KB in Express: a bounce that quotes its mail is larger, and Postmark drops what is answered with 413.
 * Handlers run in a clean scope, not in the scope of the request.
 * @example app.post('/webhooks/postmark', postmarkWebhooks({ auth: { basic: { username, password } }, on: { bounced } }))
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, at once, where no secret is given, too
 */
export function postmarkWebhooks(options: WebhookHandlerOptions): NodeListener {
  refuseUncalled('postmarkWebhooks', options)
  return toNodeListener(createWebhookHandler(options))
}
