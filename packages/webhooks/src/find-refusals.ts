import type { BounceClient } from './bounce-client.js'
import type { MailClient } from './mail-client.js'
import { readBounces } from './reconcile.js'
import { type RetryOptions, toReconcileSettings } from './reconcile-settings.js'
import type { RejectedEvent } from './webhook-event.js'

/** Bounces are dated by Postmark's clock, which may be ahead of ours; tests advance the clock of a sandbox. */
const AHEAD_MS = 86_400_000

/** Whether a client can read bounces. If it cannot, no refused email is found. */
export function readsBounces(client: MailClient): client is MailClient & BounceClient {
  return typeof client.getBounces === 'function' && typeof client.getBounceDump === 'function'
}

/**
 * The emails that Postmark refused after its 250, with their metadata. The list of bounces has no metadata, so the dump
 * of each one is read.
 * @param from in milliseconds since 1970
 * @throws PostmarkError ERR_POSTMARK_BOUNCES, or the reason of the signal
 */
export async function* findRefusals(
  client: BounceClient,
  streams: readonly string[],
  from: number,
  options: RetryOptions,
): AsyncGenerator<RejectedEvent, void> {
  const settings = toReconcileSettings(client, {
    ...options,
    streams,
    since: new Date(from),
    until: new Date(Date.now() + AHEAD_MS),
  })
  for await (const event of readBounces(client, { ...settings, forMetadata: true }))
    if (event.kind === 'rejected') yield event
}
