import type { SuppressionStore } from '@postmark-smtp/core/pure'
import type { WebhookEvent } from './webhook-event.js'

/** The error code for an address that is already suppressed. */
const INACTIVE_RECIPIENT = 406

/**
 * Updates a store of suppressed addresses from an event of a webhook or of `reconcile`. It ignores events that change
 * nothing, and Postmark's test events.
 * @example createWebhookHandler({ auth, on: { any: (event) => suppressFrom(suppressions, event) } })
 * @throws what the store throws: Postmark then posts the event again
 */
export async function suppressFrom(
  store: Pick<SuppressionStore, 'add' | 'remove'>,
  event: WebhookEvent,
): Promise<void> {
  const { recipient: address, messageStream: stream = 'outbound', at } = event
  if (address === undefined || event.test) return
  if (isSuppressing(event)) await store.add({ address, stream, at, reason: toReason(event) })
  // A bounce of the type Subscribe is only a wish: Postmark suppresses the address until the subscription changes.
  else if (event.kind === 'resubscribed' && event.recordType === 'SubscriptionChange')
    await store.remove({ address, stream, at })
}

/** Postmark sets a flag; a complaint and error 406 imply it. */
function isSuppressing(event: WebhookEvent): boolean {
  switch (event.kind) {
    case 'bounced':
      return event.inactive
    case 'complained':
      return true
    case 'rejected':
      return event.inactive || event.errorCode === INACTIVE_RECIPIENT
    case 'unsubscribed':
      return event.recordType === 'SubscriptionChange' || event.raw.Inactive === true
    default:
      return false
  }
}

function toReason(event: WebhookEvent): string {
  if (event.kind === 'unsubscribed') return event.reason ?? 'ManualSuppression'
  return ('bounceType' in event ? event.bounceType : undefined) ?? event.kind
}
