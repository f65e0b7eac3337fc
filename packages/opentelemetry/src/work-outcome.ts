import type { JobEvent, WebhookTrace } from '@postmark-smtp/core/internal'

/** Outcomes of a job that are not a failure of its email. */
const NO_FAILURE: readonly (string | undefined)[] = ['sent', 'slow', 'pause', 'wait', 'give-back']

/** `error.type` of a job: the code of its email's error; undefined if it did not fail. */
export function jobErrorType({ outcome, code }: JobEvent): string | undefined {
  return NO_FAILURE.includes(outcome) ? undefined : (code ?? '_OTHER')
}

/** `error.type` of a webhook event, which is unspecific because a handler may throw anything. */
export function webhookErrorType({ outcome = 'failed' }: WebhookTrace): string | undefined {
  return outcome === 'failed' ? '_OTHER' : undefined
}
