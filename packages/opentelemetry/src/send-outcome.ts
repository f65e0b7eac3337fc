import type { Attributes } from '@opentelemetry/api'

interface Outcome {
  readonly outcome?: string | undefined
  readonly code?: string | undefined
}

/** Whether a mail was not sent. One that was sent before, under the same key, is no failure. */
export function hasFailed({ outcome }: Outcome): boolean {
  return outcome !== 'sent' && outcome !== 'duplicate'
}

/** What failed, in few words: the code of the error. */
export function toErrorType({ code, outcome }: Outcome): Attributes {
  return { 'error.type': code ?? outcome ?? '_OTHER' }
}
