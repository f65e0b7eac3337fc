import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { SendEvent } from '@postmark-smtp/core'
import type { Logger } from 'pino'

const END = 'tracing:postmark-smtp:send:asyncEnd'

/**
 * Writes one line per mail: its IDs, stream and tag, its outcome, and how long it took. No event contains an address.
 * @returns a function that stops it
 */
export function logMails(logger: Logger): () => void {
  const listener = (message: unknown) => {
    const { id, correlationId, stream, tag, outcome, attempt, durationMs, code, responseCode } =
      message as SendEvent
    const isSent = outcome === 'sent' || outcome === 'duplicate'
    const line = { mail: id, correlationId, stream, tag, outcome, attempts: attempt, code, responseCode }
    logger[isSent ? 'info' : 'error']({ ...line, ms: Math.round(durationMs ?? 0) }, 'mail')
  }
  subscribe(END, listener)
  return () => unsubscribe(END, listener)
}
