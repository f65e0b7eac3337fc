/** One reason for which Postmark would refuse a mail. */
export interface VerdictProblem {
  /** Postmark's error code. @example 406 */
  readonly errorCode: number
  /** What Postmark's API says then, in its words as far as they are known. */
  readonly message: string
  /** Where it is, as preflight names it. @example 'subject' */
  readonly path: string
  readonly cure: string
}

/** What Postmark would have done with a mail after its `250`. */
export interface Verdict {
  /** `sent`, or `refused` with a bounce of the type SMTPApiError. */
  readonly outcome: 'sent' | 'refused'
  /** Why it was refused. The bounce carries the first. */
  readonly problems: readonly VerdictProblem[]
  /** What is not known of Postmark and what the sandbox chose; and what Postmark ignores without a word. */
  readonly notes: readonly string[]
}

/** The message stream that a mail is meant for, and what Postmark would have done with it. */
export interface Judgement {
  readonly stream: string
  readonly verdict: Verdict
}
