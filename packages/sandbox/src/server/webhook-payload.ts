import type { SandboxMail } from '../mail/sandbox-mail.js'
import type { SandboxBounce } from './bounce.js'
import type { SandboxSuppression } from './suppressions.js'
import { type PayloadKind, SAMPLES, type WebhookPayload } from './webhook-samples.js'

/** A time as Postmark writes it. @example '2026-03-01T08:15:30.1230000Z' */
export function toPostmarkDate(date: Date): string {
  return date.toISOString().replace('Z', '0000Z')
}

/**
 * Makes the body of a webhook in Postmark's shape, for tests of code that receives webhooks.
 * @example webhookPayload('Bounce', { Email: 'ann@example.com', Metadata: { 'order-id': '42' } })
 * @see https://postmarkapp.com/developer/webhooks/webhooks-overview
 */
export function webhookPayload(kind: PayloadKind, overrides: WebhookPayload = {}): WebhookPayload {
  return { ...structuredClone(SAMPLES[kind]), ...overrides }
}

/** The fields that every event of an email has. */
export function mailPart(mail: SandboxMail): WebhookPayload {
  const { tag, metadata } = mail.postmark
  return { MessageStream: mail.stream, MessageID: mail.messageId, Tag: tag ?? '', Metadata: { ...metadata } }
}

/** The fields of a bounce, without the dump. */
export function bouncePart(bounce: SandboxBounce): WebhookPayload {
  return {
    MessageStream: bounce.stream,
    ID: bounce.id,
    Type: bounce.type,
    TypeCode: bounce.typeCode,
    Name: bounce.name,
    Description: bounce.description,
    Details: bounce.details,
    Email: bounce.recipient,
    From: bounce.mail.from,
    Inactive: bounce.inactive,
    CanActivate: bounce.canActivate,
    Subject: bounce.mail.subject,
  }
}

/** The fields of a suppression that was made or, with `suppressed` false, lifted. */
export function suppressionPart(suppression: SandboxSuppression, suppressed: boolean): WebhookPayload {
  const { stream, address, origin, reason } = suppression
  return {
    MessageStream: stream,
    Recipient: address,
    Origin: origin,
    SuppressSending: suppressed,
    SuppressionReason: suppressed ? reason : null,
  }
}
