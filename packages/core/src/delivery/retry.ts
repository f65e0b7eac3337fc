import type { Failure } from '../problems/smtp-failure.js'

/** What is tried again: a mail that was deferred (4xx), or whose connection was lost before its body was out. */
export interface RetrySettings {
  /** How often a mail is tried in all. Default 10, which the deadline has room for; 1 switches retries off. */
  readonly attempts: number
  /**
   * Time for one mail with all its attempts, from sendMail or from the last mail that the route finished, whichever is
   * later. Default 180,000 ms: an outage of that length makes no mail fail.
   */
  readonly deadlineMs: number
  /** Longest pause before the second attempt; it doubles, up to 30 s. Each is shortened at random by up to a half. Default 1,000 ms. */
  readonly baseMs: number
  /** Whether to try again after an `unknown` outcome, at the risk of a second copy. Default false. */
  readonly unknown: boolean
}

/** The longest pause between two attempts. */
const LONGEST_PAUSE_MS = 30_000

/**
 * Attempts while no server has ever greeted: a name, a port or a firewall is wrong then, most likely, and an hour more
 * would not help. With the default pauses they take about five seconds.
 */
const FIRST_ATTEMPTS = 4

/** What is known when an attempt has failed. */
export interface AttemptFacts {
  readonly attempts: number
  /** How often the mail came back from a session that was gone. */
  readonly returns: number
  readonly wasGreeted: boolean
  /** Whether content that can be read only once was read. */
  readonly spent: boolean
  /** Time until its deadline, in milliseconds. */
  readonly leftMs: number
}

/** What follows on a failure. */
export type Decision =
  /** At once and not counted: the server never saw the mail. */
  | { readonly kind: 'return' }
  | { readonly kind: 'pause'; readonly pauseMs: number }
  | { readonly kind: 'end'; readonly notRetried?: string }

/** How often a mail may come back from sessions that were gone, before that counts as an attempt. */
const MOST_RETURNS = 3

const SPENT =
  'The mail was not retried: its content is a stream, which can be read only once. Use a string, a Buffer or a path.'

/** Decides whether a mail is tried again, so that no second copy can come of it. */
export function decide({ error, retry }: Failure, facts: AttemptFacts, settings: RetrySettings): Decision {
  if (retry === 'uncounted' && facts.returns < MOST_RETURNS && !facts.spent) return { kind: 'return' }
  const riskAccepted = error.outcome === 'unknown' && settings.unknown
  if (retry === 'never' && !riskAccepted) return { kind: 'end' }
  if (facts.spent) return { kind: 'end', notRetried: SPENT }
  const limit = facts.wasGreeted ? settings.attempts : Math.min(settings.attempts, FIRST_ATTEMPTS)
  if (facts.attempts >= limit) return { kind: 'end' }
  const pauseMs = pauseAfter(facts.attempts, settings.baseMs)
  if (pauseMs < facts.leftMs) return { kind: 'pause', pauseMs }
  const seconds = settings.deadlineMs / 1000
  return { kind: 'end', notRetried: `The mail was not retried: its limit of ${seconds} s ends before the next attempt.` }
}

/** The pause after so many failures; half of it is drawn at random, so that mails that failed together do not return together. */
export function pauseAfter(failures: number, baseMs: number): number {
  return Math.min(LONGEST_PAUSE_MS, baseMs * 2 ** (failures - 1)) * (0.5 + Math.random() / 2)
}
