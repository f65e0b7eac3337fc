interface Outcome {
  readonly outcome?: string | undefined
  readonly code?: string | undefined
}

/** Whether an email was not sent. An email that had already been sent under the same key has not failed. */
export function hasFailed({ outcome }: Outcome): boolean {
  return outcome !== 'sent' && outcome !== 'duplicate'
}

/** The value of `error.type`: the code of the error. */
export function errorType({ code, outcome }: Outcome): string {
  return code ?? outcome ?? '_OTHER'
}
