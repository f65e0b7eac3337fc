/** The result of sendMail for a skipped mail, in the shape of Nodemailer's result. */
export interface SkippedMail {
  readonly envelope: { readonly from: false; readonly to: readonly string[] }
  readonly messageId: string
  readonly accepted: readonly string[]
  readonly rejected: readonly string[]
  readonly pending: readonly string[]
  readonly response: string
  readonly envelopeTime: number
  readonly messageTime: number
  readonly messageSize: number
  postmark: { readonly suppressed: readonly string[] }
}

/** The result of an email that was skipped because all its recipients are suppressed. */
export function toSkippedMail(suppressed: readonly string[]): SkippedMail {
  return {
    envelope: { from: false, to: [] },
    messageId: '',
    accepted: [],
    rejected: [],
    pending: [],
    response: '',
    envelopeTime: 0,
    messageTime: 0,
    messageSize: 0,
    postmark: { suppressed },
  }
}
