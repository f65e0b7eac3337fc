import type { RefusedLogin } from '../server/server-events.js'
import type { WebhookAttempt } from '../webhooks/webhook-attempt.js'

/** Describes a post that failed in one line for a terminal; undefined for one that succeeded. */
export function toAttemptLine(attempt: WebhookAttempt): string | undefined {
  const { outcome, recordType, url, status, error, nextAt } = attempt
  if (outcome === 'done') return undefined
  const next = nextAt ? `will be retried at ${nextAt.toTimeString().slice(0, 8)}` : 'will not be retried'
  // The query of a URL may be a secret.
  const { origin, pathname } = new URL(url)
  const reply = error ?? `status ${status}`
  return `Webhook ${origin}${pathname}: the post of a ${recordType} event failed (${reply}) and ${next}.\n`
}

/** Describes a login that was refused in one line. The user name is a token, so it is not shown. */
export function toLoginLine({ method, reason }: RefusedLogin): string {
  const why =
    reason === 'smtp-off'
      ? 'SMTP is off in the settings of the server'
      : 'the user name and password are not a token of this sandbox; a server token is used as both'
  return `Login refused (AUTH ${method}): ${why}.\n`
}
