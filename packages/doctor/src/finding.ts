/** How severe a finding is. A fault stops or loses emails, a warning may do so, and a skipped check says nothing. */
export type Level = 'fine' | 'warning' | 'fault' | 'skipped'

/** What one check found. None of its texts holds a token, a password or the URL of a webhook. */
export interface Finding {
  /** The ID of the check that found it; docs/doctor.md lists all checks. @example 'ports' */
  readonly check: string
  /** What the check examines. @example 'Ports and greetings' */
  readonly title: string
  readonly level: Level
  /** Which fault or warning of the check it is; missing for `fine` and `skipped`. @example 'no-port' */
  readonly kind?: string
  /** What the check saw, or why it was skipped. */
  readonly text: string
  /** The most likely cause; only for a fault or a warning. */
  readonly cause?: string
  /** What to do about it; only for a fault or a warning. */
  readonly cure?: string
  /** A page to read more; only for a fault or a warning. */
  readonly link?: string
  /** The check should have run to its end but did not: the time limit was reached, or the check itself failed. */
  readonly incomplete?: true
}
