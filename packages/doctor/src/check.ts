import type { Examination } from './examination.js'

/** One thing that can be wrong. */
interface Kind {
  readonly level: 'fault' | 'warning'
  /** The misconfiguration, as docs/doctor.md describes it. */
  readonly what: string
  readonly cause: string
  readonly cure: string
  readonly link: string
  /** What no test can produce; missing if a test produces it. */
  readonly untested?: string
}

/** Takes what a check finds. What was reported stays reported if the check is cut off. */
interface Report<K extends string> {
  fine(text: string): void
  /** @param text why nothing can be said here after all */
  skip(text: string): void
  /** @param cure replaces the cure of the kind, if more is known */
  found(kind: K, text: string, cure?: string): void
}

/** A check: what it needs, how it runs, and what it can find. */
export interface Check<K extends string = string> {
  readonly id: string
  readonly title: string
  /** The premises of this check: it is skipped if one of them found a fault or was skipped. */
  readonly after: readonly string[]
  /** What it needs, for docs/doctor.md. @example 'an account token' */
  readonly needs?: string
  /** Why it cannot run; undefined if it can. */
  missing?(examination: Examination): string | undefined
  readonly kinds: Readonly<Record<K, Kind>>
  run(examination: Examination, report: Report<K>): Promise<void>
}

/** Gives a check its types. */
export function defineCheck<K extends string>(check: Check<K>): Check {
  return check as unknown as Check
}
