import type { SendEvent } from '../problems/diagnostics.js'
import type { Envelope } from '../smtp/envelope.js'
import type { SentMail } from '../smtp/shipment.js'
import type { SendOnceInfo, SendOnceResolution } from './send-once-store.js'

/** The parts of a finished mail that its `info` contains. */
interface ThroughMail {
  readonly envelope: Envelope
  readonly messageId: string
  readonly attempts: number
  readonly event: Pick<SendEvent, 'host' | 'port'>
}

/** The result of sendMail: Nodemailer’s fields, and ours under `postmark`. */
interface SentInfo {
  readonly postmark: Record<string, unknown>
  readonly [field: string]: unknown
}

/** For an email that the server accepted. */
export function toSentInfo(sent: SentMail, { envelope, messageId, attempts, event }: ThroughMail): SentInfo {
  const { accepted, rejected, rejectedErrors, response, ...times } = sent
  const port = event.port === undefined ? {} : { port: event.port }
  return {
    envelope: toEnvelope(envelope),
    messageId,
    accepted,
    rejected,
    ...(rejectedErrors.length > 0 ? { rejectedErrors } : {}),
    response,
    ...times,
    postmark: { host: event.host, ...port, attempts },
  }
}

/** What the send-once store keeps about such an email: no address. */
export function toKept(
  { accepted, rejected, rejectedErrors: _, ...sent }: SentMail,
  messageId: string,
): SendOnceInfo {
  return { ...sent, messageId, accepted: accepted.length, rejected: rejected.length }
}

/** For an email that was already sent under the same key. */
export function toRepeatedInfo(
  sent: SendOnceInfo,
  resolution: SendOnceResolution | undefined,
  { envelope, event }: ThroughMail,
): SentInfo {
  const { messageId: postmarkMessageId, errorCode } = resolution ?? {}
  return {
    envelope: toEnvelope(envelope),
    messageId: sent.messageId ?? '',
    accepted: sent.rejected ? [] : [...envelope.to],
    rejected: [],
    response: sent.response ?? '',
    envelopeTime: sent.envelopeTime ?? 0,
    messageTime: sent.messageTime ?? 0,
    messageSize: sent.messageSize ?? 0,
    postmark: {
      host: event.host,
      attempts: 0,
      duplicate: true,
      ...(postmarkMessageId === undefined ? {} : { postmarkMessageId }),
      ...(errorCode === undefined ? {} : { errorCode }),
    },
  }
}

function toEnvelope({ from, to }: Envelope): { readonly from: string | false; readonly to: string[] } {
  return { from: from === '' ? false : from, to: [...to] }
}
