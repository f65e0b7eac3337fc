import type { BounceClient } from './bounce-client.js'
import type { MailClient } from './mail-client.js'
import { readBounces } from './reconcile.js'
import { type RetryOptions, toReconcileSettings } from './reconcile-settings.js'
import type { RejectedEvent } from './webhook-event.js'

/** Bounces are dated by Postmark's clock, which may be ahead of ours; that of a sandbox is moved on by tests. */
const AHEAD_MS = 86_400_000

/** Whether a client reads bounces, without which no refused mail is found. */
export function readsBounces(client: MailClient): client is MailClient & BounceClient {
  return typeof client.getBounces === 'function' && typeof client.getBounceDump === 'function'
}

/**
 * The mails that Postmark refused after its 250, with their metadata, which the list of bounces does not have: the dump
 * of each is read.
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
