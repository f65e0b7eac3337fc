import { webhookPayload } from './webhook-payload.js'
import type { WebhookPayload } from './webhook-samples.js'

/** A body that a webhook is known to have posted, or may post, although no sample shows it. */
export interface OddWebhookPayload {
  /** What is odd about it. @example 'Metadata is an empty list' */
  readonly name: string
  readonly payload: WebhookPayload
}

function without(payload: WebhookPayload, ...keys: string[]): WebhookPayload {
  return Object.fromEntries(Object.entries(payload).filter(([key]) => !keys.includes(key)))
}

const NO_ID = '00000000-0000-0000-0000-000000000000'

/**
 * The odd shapes that a receiver of webhooks must handle.
 * @example it.each(ODD_WEBHOOK_PAYLOADS)('accepts a payload if $name', ({ payload }) => …)
 */
export const ODD_WEBHOOK_PAYLOADS: readonly OddWebhookPayload[] = [
  { name: 'Metadata is an empty list', payload: webhookPayload('Delivery', { Metadata: [] }) },
  { name: 'Metadata is null', payload: webhookPayload('Delivery', { Metadata: null }) },
  { name: 'Metadata is absent', payload: without(webhookPayload('Open'), 'Metadata') },
  { name: 'Metadata holds a number', payload: webhookPayload('Bounce', { Metadata: { user_id: 43 } }) },
  { name: 'Tag is null', payload: webhookPayload('Bounce', { Tag: null }) },
  { name: 'Tag is absent', payload: without(webhookPayload('Click'), 'Tag') },
  { name: 'Tag is empty', payload: webhookPayload('SpamComplaint', { Tag: '' }) },
  {
    name: 'the post is a test of the webhook, with dummy data',
    payload: webhookPayload('Delivery', { MessageID: NO_ID, Metadata: { example: 'value' } }),
  },
  {
    name: 'a suppression by hand belongs to no email',
    payload: webhookPayload('SubscriptionChange', { MessageID: null, Origin: 'Customer' }),
  },
  {
    name: 'a suppression was lifted',
    payload: webhookPayload('SubscriptionChange', { SuppressSending: false, SuppressionReason: null }),
  },
  { name: 'Geo is absent', payload: without(webhookPayload('Open'), 'Geo') },
  { name: 'Geo is empty', payload: webhookPayload('Click', { Geo: {} }) },
  { name: 'Client and OS are null', payload: webhookPayload('Open', { Client: null, OS: null }) },
  { name: 'MessageStream is absent', payload: without(webhookPayload('Bounce'), 'MessageStream') },
  {
    name: 'the bounce type is newer than this list',
    payload: webhookPayload('Bounce', { Type: 'QuantumBounce', TypeCode: 200000, Name: 'Quantum bounce' }),
  },
  {
    name: 'the time has an offset',
    payload: webhookPayload('Bounce', { BouncedAt: '2014-08-01T13:28:10.2735393-04:00' }),
  },
  {
    name: 'the time has no fraction',
    payload: webhookPayload('Delivery', { DeliveredAt: '2026-03-01T08:15:30Z' }),
  },
  {
    name: 'ServerID is spelled ServerId',
    payload: { ...without(webhookPayload('Delivery'), 'ServerID'), ServerId: 1 },
  },
  { name: 'the RecordType is unknown', payload: webhookPayload('Delivery', { RecordType: 'Teleport' }) },
  { name: 'there is no RecordType', payload: webhookPayload('Inbound') },
]
