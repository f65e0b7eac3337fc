/** How a finding counts: a fault stops mails or loses them, a warning may, a check that was skipped says nothing. */
export type Level = 'fine' | 'warning' | 'fault' | 'skipped'

/** What one check found. No text of it holds a token, a password or the URL of a webhook. */
export interface Finding {
  /** The check that found it; docs/doctor.md lists them. @example 'ports' */
  readonly check: string
  /** What the check looks at. @example 'Ports and greetings' */
  readonly title: string
  readonly level: Level
  /** Which of the check's faults or warnings it is; missing for `fine` and `skipped`. @example 'no-port' */
  readonly kind?: string
  /** What was seen, or why the check was skipped. */
  readonly text: string
  /** What most likely causes it; with a fault or a warning. */
  readonly cause?: string
  /** What to do about it; with a fault or a warning. */
  readonly cure?: string
  /** Where to read on; with a fault or a warning. */
  readonly link?: string
  /** Whether the check could not be made although it should have been: time was over, or it failed itself. */
  readonly incomplete?: true
}
