import { isSendObserved, type SendEvent } from '../problems/diagnostics.js'

let lastId = 0

/** What is told of a mail on its way, from before its first attempt. @param message composed, as far as it is */
export function createSendEvent(
  stream: string,
  tag: string | undefined,
  host: string,
  message: unknown,
): SendEvent {
  return {
    id: ++lastId,
    stream,
    tag,
    host,
    // Nodemailer parses all addresses for this: counted only where somebody looks.
    recipientCount: message && isSendObserved() ? countRecipients(message) : 0,
    attempt: 0,
    port: undefined,
    phase: 'queue',
  }
}

function countRecipients(message: unknown): number {
  return (message as { getEnvelope(): { readonly to: readonly string[] } }).getEnvelope().to.length
}
