import type { IncomingMessage, ServerResponse } from 'node:http'
import { Controller, Inject, Post, Req, Res, type Type, VERSION_NEUTRAL } from '@nestjs/common'
import type { NodeListener, NodeRequest } from '@postmark-smtp/webhooks'

/** The token of the listener that answers the posts, inside the module. */
export const WEBHOOKS_LISTENER: unique symbol = Symbol('PostmarkWebhooksListener')

/** The parts of Fastify's request and reply used here. */
interface FastifyRequestLike {
  readonly raw: IncomingMessage
  readonly body: unknown
  readonly rawBody?: unknown
}
interface FastifyReplyLike {
  readonly raw: ServerResponse
  hijack(): unknown
}

/** Creates a controller with one route, which is the same in every version of the application's API. */
export function createWebhooksController(path: string): Type<unknown> {
  @Controller({ path, version: VERSION_NEUTRAL })
  class PostmarkWebhooksController {
    constructor(@Inject(WEBHOOKS_LISTENER) private readonly listener: NodeListener) {}

    @Post()
    post(
      @Req() request: NodeRequest | FastifyRequestLike,
      @Res() reply: ServerResponse | FastifyReplyLike,
    ): Promise<void> {
      if (!('raw' in request) || !('raw' in reply))
        return this.listener(request as NodeRequest, reply as ServerResponse)
      // Without this, Fastify sends a reply itself.
      reply.hijack()
      const { raw, body, rawBody } = request
      return this.listener(Object.assign(raw, { body, rawBody }), reply.raw)
    }
  }
  return PostmarkWebhooksController
}
