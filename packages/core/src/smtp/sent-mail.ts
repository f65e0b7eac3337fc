import type { Reply } from './reply-reader.js'
import type { SentMail } from './shipment.js'
import type { Transaction } from './transaction.js'

/** What the server said about an email that it accepted, in the reply to its body. */
export function toSentMail(
  { accepted, rejectedErrors, startedAt, goAheadAt, size }: Transaction,
  { response }: Reply,
): SentMail {
  return {
    accepted,
    rejected: rejectedErrors.map((error) => (error as { recipient?: string }).recipient ?? ''),
    rejectedErrors,
    response,
    envelopeTime: Math.round(goAheadAt - startedAt),
    messageTime: Math.round(performance.now() - goAheadAt),
    messageSize: size,
  }
}
