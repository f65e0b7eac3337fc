/** One reason why Postmark would refuse an email. */
export interface VerdictProblem {
  /** Postmark's error code. @example 406 */
  readonly errorCode: number
  /** What Postmark's API says in this case, in its own words if they are known. */
  readonly message: string
  /** Where the problem is, as preflight names it. @example 'subject' */
  readonly path: string
  readonly cure: string
}

/** What Postmark would have done with an email after its `250`. */
export interface Verdict {
  /** `sent`, or `refused` with a bounce of the type SMTPApiError. */
  readonly outcome: 'sent' | 'refused'
  /** Why it was refused. The bounce has only the first reason. */
  readonly problems: readonly VerdictProblem[]
  /** What is not known about Postmark and what the sandbox chose, and what Postmark ignores silently. */
  readonly notes: readonly string[]
}

/** The message stream that an email is meant for, and what Postmark would have done with it. */
export interface Judgement {
  readonly stream: string
  readonly verdict: Verdict
}
