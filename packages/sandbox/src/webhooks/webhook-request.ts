import { WEBHOOK_HEADERS } from '@postmark-smtp/core'
import type { SandboxEvent } from '../server/sandbox-event.js'
import type { SandboxWebhook } from './webhook.js'

/** The body of an event's post to a webhook. */
export function payloadFor(
  { triggers }: SandboxWebhook,
  { recordType, bounce, payload }: SandboxEvent,
): Readonly<Record<string, unknown>> {
  return bounce && triggers[recordType].includeContent ? { ...payload, Content: bounce.dump } : payload
}

/** The headers of a post: login, those of the webhook, and those by which a receiver recognises a retry. */
export function requestHeaders(
  webhook: SandboxWebhook,
  body: string,
  traceId: string,
  remaining: number,
): Record<string, string> {
  const { basicAuth, headers } = webhook
  const login = basicAuth && Buffer.from(`${basicAuth.username}:${basicAuth.password}`).toString('base64')
  return {
    'User-Agent': 'postmark-smtp-sandbox',
    ...(login && { Authorization: `Basic ${login}` }),
    ...headers,
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    [WEBHOOK_HEADERS.traceId]: traceId,
    [WEBHOOK_HEADERS.retriesRemaining]: String(remaining),
  }
}
