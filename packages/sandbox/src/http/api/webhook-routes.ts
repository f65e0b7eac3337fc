import { STATUS_CODES } from 'node:http'
import { DEFAULT_STREAM } from '../../mail/stream.js'
import type { PostmarkServer } from '../../server/postmark-server.js'
import { webhookPayload } from '../../server/webhook-payload.js'
import { RECORD_TYPES, type SandboxWebhook, type WebhookOptions } from '../../webhooks/webhook.js'
import type { WebhookSender } from '../../webhooks/webhook-sender.js'
import { toText } from './api-body.js'
import { API_CODES, apiError } from './api-error.js'
import type { ApiRequest, ApiRoute, JsonObject } from './api-route.js'
import { findStream } from './stream-routes.js'
import { readWebhookOptions, toWebhookError, toWebhookJson } from './webhook-json.js'
import { toStatistics } from './webhook-statistics.js'

/** @see https://postmarkapp.com/developer/api/webhooks-api */
export function webhookRoutes(server: PostmarkServer, sender: WebhookSender): ApiRoute[] {
  const find = ({ param }: ApiRequest): SandboxWebhook => {
    const webhook = sender.list.find(({ id }) => String(id) === param('id'))
    if (webhook) return webhook
    throw apiError(API_CODES.noWebhook, "The webhook for the provided 'ID' was not found.")
  }

  /** Postmark saves a webhook only if it answers every enabled trigger with 200, unless `Verify` is false. */
  async function save(options: WebhookOptions, verify: boolean, id?: number) {
    const webhook = prepare(options, id, verify)
    const result = verify ? await verifyWebhook(sender, webhook) : undefined
    if (result?.Success === false) {
      throw apiError(API_CODES.hookUnverified, 'The webhook could not be verified.', 422, result)
    }
    sender.put(webhook)
    return toWebhookJson(webhook)
  }

  function prepare(options: WebhookOptions, id: number | undefined, verified: boolean): SandboxWebhook {
    try {
      return sender.prepare(options, id, verified)
    } catch (error) {
      throw toWebhookError(error)
    }
  }

  return [
    {
      method: 'GET',
      path: '/webhooks',
      handle({ query }) {
        const stream = query.get('messagestream')
        if (stream !== undefined) findStream(server, stream)
        const found = sender.list.filter((webhook) => stream === undefined || webhook.stream === stream)
        return { Webhooks: found.map(toWebhookJson) }
      },
    },
    {
      method: 'POST',
      path: '/webhooks',
      async handle(request) {
        const body = await readBody(request)
        if (body.ID) throw apiError(API_CODES.hookIdGiven, "Postmark assigns the 'ID'. Leave it out.")
        checkStream(server, toText(body.MessageStream ?? DEFAULT_STREAM, 'MessageStream'))
        return save(readWebhookOptions(body), body.Verify !== false)
      },
    },
    { method: 'GET', path: '/webhooks/:id', handle: (request) => toWebhookJson(find(request)) },
    {
      method: 'PUT',
      path: '/webhooks/:id',
      async handle(request) {
        const before = find(request)
        const body = await readBody(request)
        if ((body.MessageStream ?? before.stream) !== before.stream || (body.ID ?? before.id) !== before.id) {
          throw apiError(API_CODES.hookFixed, "The 'ID' and 'MessageStream' of a webhook cannot be changed.")
        }
        return save(readWebhookOptions(body, before), body.Verify !== false, before.id)
      },
    },
    {
      method: 'DELETE',
      path: '/webhooks/:id',
      handle(request) {
        const { id } = find(request)
        sender.remove(id)
        return { ErrorCode: 0, Message: `Webhook ${id} removed.` }
      },
    },
    {
      method: 'POST',
      path: '/webhooks/:id/verify',
      async handle(request) {
        const webhook = find(request)
        const result = await verifyWebhook(sender, webhook)
        const options = readWebhookOptions({}, webhook)
        if (result.Success) sender.put(prepare(options, webhook.id, true))
        return result
      },
    },
    {
      method: 'GET',
      path: '/webhooks/:id/statistics',
      handle: (request) => toStatistics(find(request), sender.attempts, server.now()),
    },
  ]
}

async function readBody(request: ApiRequest): Promise<JsonObject> {
  const body = await request.body()
  if (Object.keys(body).length > 0) return body
  throw apiError(API_CODES.hookBodyMissing, 'The body of the request is empty.')
}

function checkStream(server: PostmarkServer, id: string): void {
  const { type, archived } = findStream(server, id)
  if (archived) throw apiError(API_CODES.hookStreamArchived, "The 'MessageStream' is archived.")
  if (type === 'inbound')
    throw apiError(API_CODES.hookStreamInbound, 'An inbound stream cannot have these webhooks.')
}

const NO_MAIL = '00000000-0000-0000-0000-000000000000'

/** Posts dummy data for each enabled trigger; each must be answered with exactly 200. */
async function verifyWebhook(sender: WebhookSender, webhook: SandboxWebhook) {
  const types = RECORD_TYPES.filter((type) => webhook.triggers[type].enabled)
  const dummy = { MessageID: NO_MAIL, MessageStream: webhook.stream, Metadata: { example: 'value' } }
  const Results = await Promise.all(
    types.map(async (type) => {
      const { status, error } = await sender.probe(webhook, webhookPayload(type, dummy))
      const Message = error ?? STATUS_CODES[status ?? 0] ?? `HTTP status ${status}`
      return { TriggerType: type, Success: status === 200, StatusCode: status ?? 0, Message }
    }),
  )
  const passed = Results.filter(({ Success }) => Success).length
  return {
    Id: webhook.id,
    Url: webhook.url,
    Success: passed === types.length,
    Results,
    Message: `${passed}/${types.length} triggers verified successfully`,
  }
}
