import type { Failure } from '../problems/smtp-failure.js'

/** Which emails are retried: those that were deferred (4xx), or whose connection was lost before the body was sent. */
export interface RetrySettings {
  /** The maximum number of attempts per email. Default 10, which fits within the deadline; 1 disables retries. */
  readonly attempts: number
  /**
   * Time limit for one email including all attempts, from the call of sendMail or from the last email that the route
   * finished, whichever is later. Default 180,000 ms: no email fails during an outage shorter than that.
   */
  readonly deadlineMs: number
  /**
   * The longest pause before the second attempt. It doubles with each attempt, up to 30 s, and is shortened at random
   * by up to half. Default 1,000 ms.
   */
  readonly baseMs: number
  /** Whether to retry after an `unknown` outcome, at the risk of a duplicate. Default false. */
  readonly unknown: boolean
}

/** The longest pause between two attempts. */
const LONGEST_PAUSE_MS = 30_000

/**
 * The number of attempts while no server has ever greeted. Most likely a name, a port or a firewall is wrong then, and
 * waiting longer does not help. With the default pauses they take about five seconds.
 */
const FIRST_ATTEMPTS = 4

/** What is known after a failed attempt. */
export interface AttemptFacts {
  readonly attempts: number
  /** How often the email came back from a session that had already ended. */
  readonly returns: number
  readonly wasGreeted: boolean
  /** Whether content that can only be read once has been read. */
  readonly spent: boolean
  /** Time until its deadline, in milliseconds. */
  readonly leftMs: number
}

/** What follows a failure. */
export type Decision =
  /** Immediately, without counting as an attempt: the server never saw the email. */
  | { readonly kind: 'return' }
  | { readonly kind: 'pause'; readonly pauseMs: number }
  | { readonly kind: 'end'; readonly notRetried?: string }

/** How often an email may come back from sessions that had already ended before that counts as an attempt. */
const MOST_RETURNS = 3

const SPENT =
  'The email was not retried: its content is a stream, which can be read only once. Use a string, a Buffer or a path.'

/** Decides whether an email is retried, so that no duplicate can result. */
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
  return {
    kind: 'end',
    notRetried: `The email was not retried: its limit of ${seconds} s ends before the next attempt.`,
  }
}

/**
 * The pause after this many failures. Half of it is random, so that emails that failed together are not retried
 * together.
 */
export function pauseAfter(failures: number, baseMs: number): number {
  return Math.min(LONGEST_PAUSE_MS, baseMs * 2 ** (failures - 1)) * (0.5 + Math.random() / 2)
}
