import { API_ERRORS, type BounceTypeName } from '@postmark-smtp/core/pure'
import { readBounceId } from './bounce-id.js'
import { deriveErrorCode } from './derived-error-code.js'
import { type Raw, readText } from './read-value.js'
import type { BouncedEvent, BounceFields, EventBase, WebhookEvent } from './webhook-event.js'

/**
 * Every other type is `soft`, including SpamNotification: it is a filter's verdict on one email, and not the complaint of
 * a person, which would silence the address.
 */
const SEVERITY: ReadonlyMap<string, BouncedEvent['severity']> = new Map<
  BounceTypeName,
  BouncedEvent['severity']
>([
  ['HardBounce', 'hard'],
  ['BadEmailAddress', 'hard'],
  ['ManuallyDeactivated', 'hard'],
  ['Transient', 'transient'],
  ['DnsError', 'transient'],
  ['AutoResponder', 'transient'],
  ['AddressChange', 'transient'],
  ['ChallengeVerification', 'transient'],
  ['OpenRelayTest', 'transient'],
])

/** The event of a bounce, from a webhook or from the bounce API. */
export function readBounce(base: EventBase, recordType: 'Bounce' | 'SpamComplaint', raw: Raw): WebhookEvent {
  const fields = readBounceFields(raw)
  const event = { ...base, ...fields }
  if (recordType === 'SpamComplaint') return { ...event, kind: 'complained', recordType }
  switch (fields.bounceType) {
    case 'SMTPApiError':
      return { ...event, ...readRejection(fields), kind: 'rejected', recordType }
    case 'SpamComplaint':
      return { ...event, kind: 'complained', recordType }
    // These two report what a recipient wants, not a failed delivery; django-anymail reads them in the same way.
    case 'Unsubscribe':
      return { ...base, kind: 'unsubscribed', recordType, reason: undefined, origin: undefined }
    case 'Subscribe':
      return { ...base, kind: 'resubscribed', recordType, origin: undefined }
    default: {
      const severity = SEVERITY.get(fields.bounceType ?? '') ?? 'soft'
      return { ...event, kind: 'bounced', recordType, severity }
    }
  }
}

/** The event of a subscription change. Its reason decides: an address that bounced has not unsubscribed. */
export function readSubscriptionChange(base: EventBase, raw: Raw): WebhookEvent {
  const recordType = 'SubscriptionChange'
  const origin = readText(raw.Origin)
  const reason = readText(raw.SuppressionReason)
  if (raw.SuppressSending === false) return { ...base, kind: 'resubscribed', recordType, origin }
  if (raw.SuppressSending !== true) return { ...base, kind: 'unknown', recordType }
  const event = { ...base, ...readBounceFields({ ...raw, Type: reason, Inactive: true }) }
  if (reason === 'HardBounce') return { ...event, kind: 'bounced', recordType, severity: 'hard' }
  if (reason === 'SpamComplaint') return { ...event, kind: 'complained', recordType }
  return { ...base, kind: 'unsubscribed', recordType, reason, origin }
}

function readBounceFields(raw: Raw): BounceFields {
  return {
    bounceId: readBounceId(raw.ID),
    bounceType: readText(raw.Type),
    description: readText(raw.Description),
    details: readText(raw.Details),
    from: readText(raw.From),
    subject: readText(raw.Subject),
    content: readText(raw.Content),
    inactive: raw.Inactive === true,
    canActivate: raw.CanActivate === true,
    dumpAvailable: raw.DumpAvailable === true,
  }
}

/** No sample is published, so the pattern is lenient. It is bounded because the texts may be long and unusual. */
const ERROR_CODE = /error ?code"?\s{0,9}[:=]?\s{0,9}(\d{1,6})/i

/** The first error code that the texts of a bounce name. */
export function readErrorCode({ details, description, content }: BounceFields): number | undefined {
  const found = [details, description, content].map((text) => ERROR_CODE.exec(text ?? '')?.[1])
  const digits = found.find((code) => code !== undefined)
  return digits === undefined ? undefined : Number(digits)
}

function readRejection(fields: BounceFields) {
  const { description, details } = fields
  const errorCode = readErrorCode(fields) ?? deriveErrorCode([description, details])
  const known = errorCode === undefined ? undefined : API_ERRORS[errorCode]
  return { errorCode, cause: known?.cause ?? description, cure: known?.cure }
}
