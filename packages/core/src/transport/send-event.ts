import { isSendObserved, type SendEvent } from '../problems/diagnostics.js'

const KEY = Symbol.for('@postmark-smtp/mails/1')

/** Installed copies of this package publish on the same channels, so they count together. */
const holder = globalThis as { [KEY]?: { last: number } }
holder[KEY] ??= { last: 0 }
const count: { last: number } = holder[KEY]

/** The number of an email in all its events. */
export function nextMailId(): number {
  return ++count.last
}

/** What is published about an email, starting before its first attempt. @param message composed, as far as it is */
export function createSendEvent(
  id: number,
  stream: string,
  tag: string | undefined,
  correlationId: string | undefined,
  host: string,
  message: unknown,
): SendEvent {
  return {
    id,
    stream,
    tag,
    correlationId,
    host,
    // Nodemailer parses all addresses for this, so they are only counted if someone looks.
    recipientCount: message && isSendObserved() ? countRecipients(message) : 0,
    attempt: 0,
    port: undefined,
    phase: 'queue',
  }
}

function countRecipients(message: unknown): number {
  return (message as { getEnvelope(): { readonly to: readonly string[] } }).getEnvelope().to.length
}
