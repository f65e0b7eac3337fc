import { PostmarkError } from '@postmark-smtp/core'
import {
  RECORD_TYPES,
  type SandboxWebhook,
  type WebhookOptions,
  type WebhookTriggers,
} from '../../webhooks/webhook.js'
import { toText } from './api-body.js'
import { API_CODES, apiError } from './api-error.js'
import type { JsonObject } from './api-route.js'

/** A webhook as the API shows it, login included. */
export function toWebhookJson(webhook: SandboxWebhook): Readonly<Record<string, unknown>> {
  const { id, url, stream, basicAuth, headers, triggers, verified } = webhook
  return {
    ID: id,
    Url: url,
    MessageStream: stream,
    HttpAuth: basicAuth ? { Username: basicAuth.username, Password: basicAuth.password } : null,
    HttpHeaders: Object.entries(headers).map(([Name, Value]) => ({ Name, Value })),
    Triggers: {
      Open: { Enabled: triggers.Open.enabled, PostFirstOpenOnly: triggers.Open.postFirstOpenOnly ?? false },
      Click: { Enabled: triggers.Click.enabled },
      Delivery: { Enabled: triggers.Delivery.enabled },
      Bounce: { Enabled: triggers.Bounce.enabled, IncludeContent: triggers.Bounce.includeContent ?? false },
      SpamComplaint: {
        Enabled: triggers.SpamComplaint.enabled,
        IncludeContent: triggers.SpamComplaint.includeContent ?? false,
      },
      SubscriptionChange: { Enabled: triggers.SubscriptionChange.enabled },
    },
    Status: verified ? 'verified' : 'unverified',
  }
}

/** The options of a request, added to those of the webhook that it edits. */
export function readWebhookOptions(body: JsonObject, before?: SandboxWebhook): WebhookOptions {
  const stream = before?.stream ?? body.MessageStream
  const basicAuth = body.HttpAuth === undefined ? before?.basicAuth : readLogin(body.HttpAuth)
  return {
    url: toText(body.Url ?? before?.url, 'Url'),
    triggers: readTriggers(body.Triggers, before),
    ...(stream !== undefined && stream !== null && { stream: toText(stream, 'MessageStream') }),
    ...(basicAuth && { basicAuth }),
    headers: body.HttpHeaders === undefined ? (before?.headers ?? {}) : readHeaders(body.HttpHeaders),
  }
}

/** Postmark's error for options that are not valid. */
export function toWebhookError(error: unknown): unknown {
  if (!(error instanceof PostmarkError)) return error
  const code = error.message.includes('url') ? API_CODES.hookUrl : API_CODES.hookHeader
  return apiError(code, error.message)
}

function readTriggers(given: unknown, before?: SandboxWebhook): WebhookTriggers {
  const triggers = asObject(given ?? {}, 'Triggers')
  const read = (type: (typeof RECORD_TYPES)[number]) => {
    const old = before?.triggers[type]
    if (triggers[type] === undefined) return old ?? { enabled: false }
    const { Enabled, PostFirstOpenOnly, IncludeContent } = asObject(triggers[type], `Triggers.${type}`)
    return {
      enabled: Boolean(Enabled ?? old?.enabled),
      postFirstOpenOnly: Boolean(PostFirstOpenOnly ?? old?.postFirstOpenOnly),
      includeContent: Boolean(IncludeContent ?? old?.includeContent),
    }
  }
  return Object.fromEntries(RECORD_TYPES.map((type) => [type, read(type)]))
}

function readLogin(given: unknown): WebhookOptions['basicAuth'] {
  if (given === null) return undefined
  const { Username, Password } = asObject(given, 'HttpAuth')
  return Username || Password
    ? { username: toText(Username, 'Username'), password: toText(Password, 'Password') }
    : undefined
}

function readHeaders(given: unknown): Record<string, string> {
  if (given === null) return {}
  if (!Array.isArray(given)) throw apiError(API_CODES.hookValue, "'HttpHeaders' must be a list.")
  return Object.fromEntries(
    given.map((item: unknown) => {
      const { Name, Value } = asObject(item, 'HttpHeaders')
      return [toText(Name, 'Name'), toText(Value, 'Value')]
    }),
  )
}

function asObject(value: unknown, name: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  throw apiError(API_CODES.hookValue, `'${name}' must contain objects.`)
}
