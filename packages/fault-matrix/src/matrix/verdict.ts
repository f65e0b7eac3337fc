/** What becomes of an email that meets a fault, by the rules of the design. */
export interface Verdict {
  /** What is reported where the fault strikes every time. */
  readonly outcome: 'sent' | 'not-sent' | 'rejected' | 'deferred' | 'unknown'
  /** Whether it is tried again. */
  readonly retried: boolean
  /** How many copies each attempt leaves with the server. */
  readonly copies: 0 | 1
  /** Whether the connection is used again. */
  readonly keeps: boolean
  /** The anchor of docs/errors.md that explains it; undefined where the error says all there is to say. */
  readonly anchor?: string
}

/** Nothing is amiss but the time that it took. */
export const SENT: Verdict = { outcome: 'sent', retried: false, copies: 1, keeps: true }
/** Sent, before the connection was lost. */
export const SENT_AND_LOST: Verdict = { ...SENT, keeps: false }
/** The connection was lost, or none came about. */
export const LOST: Verdict = { outcome: 'not-sent', retried: true, copies: 0, keeps: false }
/** No other attempt would end better: a refused login, no TLS, a server that never greeted. */
export const HOPELESS: Verdict = { ...LOST, retried: false }
/** Refused for now, by a server that closes the connection or cannot be used before the login. */
export const DEFERRED: Verdict = { outcome: 'deferred', retried: true, copies: 0, keeps: false }
export const REJECTED: Verdict = { outcome: 'rejected', retried: false, copies: 0, keeps: false }
/** A refusal with a well-formed reply costs no connection once the login is done. */
export const DEFERRED_AND_KEPT: Verdict = { ...DEFERRED, keeps: true }
export const REJECTED_AND_KEPT: Verdict = { ...REJECTED, keeps: true }
/** The end of the body was out: nobody knows, and it is not sent again. */
export const UNKNOWN: Verdict = { outcome: 'unknown', retried: false, copies: 0, keeps: false }
export const UNKNOWN_BUT_TAKEN: Verdict = { ...UNKNOWN, copies: 1 }

/** The verdict with the anchor of its explanation. */
export const explained = (verdict: Verdict, anchor: string): Verdict => ({ ...verdict, anchor })
