interface Outcome {
  readonly outcome?: string | undefined
  readonly code?: string | undefined
}

/** Whether a mail was not sent. One that was sent before, under the same key, is no failure. */
export function hasFailed({ outcome }: Outcome): boolean {
  return outcome !== 'sent' && outcome !== 'duplicate'
}

/** What failed, in few words, for `error.type`: the code of the error. */
export function errorType({ code, outcome }: Outcome): string {
  return code ?? outcome ?? '_OTHER'
}
