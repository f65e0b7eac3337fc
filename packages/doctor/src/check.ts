import type { Examination } from './examination.js'

/** One thing that can be wrong. */
interface Kind {
  readonly level: 'fault' | 'warning'
  /** The misconfiguration, as docs/doctor.md names it. */
  readonly what: string
  readonly cause: string
  readonly cure: string
  readonly link: string
  /** Why no test can produce it here; missing where one does. */
  readonly untested?: string
}

/** Takes what a check finds; what was reported stays reported where the check is cut off. */
interface Report<K extends string> {
  fine(text: string): void
  /** @param text why nothing can be said here after all */
  skip(text: string): void
  /** @param cure in the place of the kind's own, where more is known */
  found(kind: K, text: string, cure?: string): void
}

/** A check: what it needs, how it runs, and what it can find. */
export interface Check<K extends string = string> {
  readonly id: string
  readonly title: string
  /** Checks without which this one says nothing: it is skipped where one of them has a fault or was skipped. */
  readonly after: readonly string[]
  /** What docs/doctor.md says that it needs. @example 'an account token' */
  readonly needs?: string
  /** Why it is not run here; undefined where it is. */
  missing?(examination: Examination): string | undefined
  readonly kinds: Readonly<Record<K, Kind>>
  run(examination: Examination, report: Report<K>): Promise<void>
}

/** Gives a check its types. */
export function defineCheck<K extends string>(check: Check<K>): Check {
  return check as unknown as Check
}
