import type { JobEvent, WebhookTrace } from '@postmark-smtp/core/internal'

/** What may happen to a job through no fault of its mail. */
const NO_FAILURE: readonly (string | undefined)[] = ['sent', 'slow', 'pause', 'wait', 'give-back']

/** `error.type` of a job: the code of what its mail failed with; undefined where it did not fail. */
export function jobErrorType({ outcome, code }: JobEvent): string | undefined {
  return NO_FAILURE.includes(outcome) ? undefined : (code ?? '_OTHER')
}

/** `error.type` of a webhook event: what a handler throws may be anything. */
export function webhookErrorType({ outcome = 'failed' }: WebhookTrace): string | undefined {
  return outcome === 'failed' ? '_OTHER' : undefined
}
