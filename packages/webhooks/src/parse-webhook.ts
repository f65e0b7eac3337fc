import { PostmarkError } from '@postmark-smtp/core/pure'
import { quoteLongIds } from './bounce-id.js'
import { readDumpFields } from './dump-fields.js'
import { readBounce, readSubscriptionChange } from './read-bounce.js'
import { readInbound } from './read-inbound.js'
import {
  findMetadata,
  isObject,
  type Raw,
  readMetadata,
  readNumber,
  readText,
  readTime,
} from './read-value.js'
import type { EventBase, RecordType, WebhookEvent } from './webhook-event.js'

/** The metadata keys that link an event to the request that sent its email. */
export interface ParseWebhookOptions {
  /** The metadata key of the correlation ID: the same as core's `correlationId: { key }`. Default `correlation-id`. */
  readonly correlationKey?: string | undefined
  /** The metadata key of a W3C `traceparent`. Default `traceparent`. */
  readonly traceparentKey?: string | undefined
}

/**
 * Parses a request of Postmark's webhooks. It tolerates missing, null and unexpected fields, and unknown types.
 * @param input the JSON text, or the object that it represents
 * @example
 * const event = parseWebhook(body)
 * if (event.kind === 'rejected') console.log(event.errorCode, event.cause, event.correlationId)
 * @throws PostmarkError ERR_POSTMARK_WEBHOOK if the input is not a JSON object
 * @see https://postmarkapp.com/developer/webhooks/webhooks-overview
 */
export function parseWebhook(input: unknown, options: ParseWebhookOptions = {}): WebhookEvent {
  const raw = toObject(input)
  return toEvent(raw, readRecordType(raw), options)
}

/**
 * Parses an item of `GET /bounces`, which has the fields of the Bounce webhook except its RecordType.
 * @throws PostmarkError ERR_POSTMARK_WEBHOOK
 */
export function parseBounce(item: unknown, options: ParseWebhookOptions = {}): WebhookEvent {
  return toEvent(toObject(item), 'Bounce', options)
}

function toObject(input: unknown): Raw {
  const value = typeof input === 'string' ? parseJson(input) : input
  if (isObject(value)) return value
  throw new PostmarkError('ERR_POSTMARK_WEBHOOK', 'The body of the webhook is not a JSON object.')
}

/** The error of JSON.parse is not passed on, because it quotes the text, which contains addresses. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(quoteLongIds(text))
  } catch {
    return undefined
  }
}

const RECORD_TYPES: ReadonlySet<unknown> = new Set<RecordType>([
  'Delivery',
  'Bounce',
  'SpamComplaint',
  'Open',
  'Click',
  'SubscriptionChange',
  'Inbound',
])

/** Inbound email and old webhooks have no RecordType: a field that no other type has decides. */
const TELLING_FIELDS: readonly (readonly [field: string, RecordType])[] = [
  ['DeliveredAt', 'Delivery'],
  ['BouncedAt', 'Bounce'],
  ['ChangedAt', 'SubscriptionChange'],
  ['OriginalLink', 'Click'],
  ['FirstOpen', 'Open'],
  ['FromFull', 'Inbound'],
  ['RawEmail', 'Inbound'],
  ['OriginalRecipient', 'Inbound'],
  ['Attachments', 'Inbound'],
]

function readRecordType(raw: Raw): RecordType {
  const { RecordType: name } = raw
  if (RECORD_TYPES.has(name)) return name as RecordType
  if (name !== undefined && name !== null) return 'Unknown'
  return TELLING_FIELDS.find(([field]) => Object.hasOwn(raw, field))?.[1] ?? 'Unknown'
}

function toEvent(raw: Raw, recordType: RecordType, options: ParseWebhookOptions): WebhookEvent {
  const base = readBase(raw, options)
  switch (recordType) {
    case 'Delivery':
      return { ...base, kind: 'delivered', recordType, details: readText(raw.Details) }
    case 'Bounce':
    case 'SpamComplaint':
      return readBounce(base, recordType, raw)
    case 'SubscriptionChange':
      return readSubscriptionChange(base, raw)
    case 'Open': {
      const readSeconds = readNumber(raw.ReadSeconds)
      return {
        ...base,
        ...readClient(raw),
        kind: 'opened',
        recordType,
        firstOpen: raw.FirstOpen === true,
        readSeconds,
      }
    }
    case 'Click': {
      const link = readText(raw.OriginalLink)
      return {
        ...base,
        ...readClient(raw),
        kind: 'clicked',
        recordType,
        link,
        location: readText(raw.ClickLocation),
      }
    }
    case 'Inbound':
      return readInbound(base, raw)
    case 'Unknown':
      return { ...base, kind: 'unknown', recordType }
  }
}

function readClient(raw: Raw) {
  return { userAgent: readText(raw.UserAgent), platform: readText(raw.Platform) }
}

const NO_ID = /^[0-]+$/
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

function readBase(raw: Raw, options: ParseWebhookOptions): EventBase {
  const { correlationKey = 'correlation-id', traceparentKey = 'traceparent' } = options
  const id = readText(raw.MessageID)
  const test = id !== undefined && NO_ID.test(id)
  const source = readSource(raw)
  const given = readMetadata(raw.Metadata)
  const metadata = Object.keys(given).length > 0 ? given : readMetadata(source.metadata)
  const traceparent = findMetadata(metadata, traceparentKey)
  return {
    messageId: test ? undefined : id,
    test,
    messageStream: readText(raw.MessageStream),
    tag: readText(raw.Tag) ?? source.tag ?? undefined,
    metadata,
    recipient: readText(raw.Email) ?? readText(raw.Recipient),
    at: readTime(raw.DeliveredAt ?? raw.BouncedAt ?? raw.ReceivedAt ?? raw.ChangedAt ?? raw.Date),
    serverId: readNumber(raw.ServerID ?? raw.ServerId),
    correlationId: findMetadata(metadata, correlationKey),
    traceparent: traceparent !== undefined && TRACEPARENT.test(traceparent) ? traceparent : undefined,
    raw,
  }
}

/** Only for a refused mail: the raw source of any other bounce was written by a stranger. */
function readSource(raw: Raw): ReturnType<typeof readDumpFields> {
  const dump = raw.Type === 'SMTPApiError' ? readText(raw.Content) : undefined
  return dump === undefined ? {} : readDumpFields(dump)
}
