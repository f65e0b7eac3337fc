interface Outcome {
  readonly outcome?: string | undefined
  readonly code?: string | undefined
}

/** Whether a mail was not sent. A mail that had already been sent under the same key has not failed. */
export function hasFailed({ outcome }: Outcome): boolean {
  return outcome !== 'sent' && outcome !== 'duplicate'
}

/** The value of `error.type`: the code of the error. */
export function errorType({ code, outcome }: Outcome): string {
  return code ?? outcome ?? '_OTHER'
}
