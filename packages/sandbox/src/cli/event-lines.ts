import type { RefusedLogin } from '../server/server-events.js'
import type { WebhookAttempt } from '../webhooks/webhook-attempt.js'

/** A post that failed as one line for a terminal; undefined for one that succeeded. */
export function toAttemptLine(attempt: WebhookAttempt): string | undefined {
  const { outcome, recordType, url, status, error, nextAt } = attempt
  if (outcome === 'done') return undefined
  const next = nextAt ? `is posted again at ${nextAt.toTimeString().slice(0, 8)}` : 'is not posted again'
  // The query of a URL may be a secret.
  const { origin, pathname } = new URL(url)
  const reply = error ?? `status ${status}`
  return `Webhook ${origin}${pathname}: ${recordType} failed (${reply}) and ${next}.\n`
}

/** A login that was refused as one line. The user name is a token, so it is not shown. */
export function toLoginLine({ method, reason }: RefusedLogin): string {
  const why =
    reason === 'smtp-off'
      ? 'SMTP is switched off in the settings of the server'
      : 'user name and password are no token of this sandbox; a server token is both'
  return `Login refused (AUTH ${method}): ${why}.\n`
}
