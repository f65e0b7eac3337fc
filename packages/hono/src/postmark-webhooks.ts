import {
  createWebhookHandler,
  type WebhookHandlerOptions,
  type WebhookRequestInfo,
} from '@postmark-smtp/webhooks'
import type { Context, MiddlewareHandler } from 'hono'
import { refuseUncalled } from './refuse-uncalled.js'

/** The part used of what @hono/node-server puts into the environment of a request. */
interface NodeBindings {
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: string | undefined } }
}

/**
 * Creates the handler for the route that Postmark's webhooks post to. A middleware may read the body first if it uses
 * the methods of `c.req`. Handlers run in a clean scope, not in the scope of the request.
 * @example app.post('/webhooks/postmark', postmarkWebhooks({ auth: { basic: { username, password } }, on: { bounced } }))
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, immediately, also if no secret is given
 */
export function postmarkWebhooks(options: WebhookHandlerOptions): MiddlewareHandler {
  refuseUncalled('postmarkWebhooks', options)
  const handle = createWebhookHandler(options)
  return async (c) => {
    const { incoming } = (c.env ?? {}) as NodeBindings
    const info: WebhookRequestInfo = {
      remoteAddress: incoming?.socket?.remoteAddress,
      body: c.req.raw.bodyUsed ? await readAgain(c) : undefined,
    }
    return handle(c.req.raw, info)
  }
}

/** The body as Hono cached it; undefined if it was read without Hono, which the handler then reports. */
async function readAgain(c: Context): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await c.req.arrayBuffer())
  } catch {
    return undefined
  }
}
