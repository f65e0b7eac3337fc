/**
 * Every time limit of the transport, in milliseconds.
 * RFC 5321 §4.5.3.2 asks for minutes; Postmark answers in well under a second, and a web request waits for it.
 */
export const TIME_LIMITS = {
  /** Until some port has greeted. RFC 5321: 5 minutes for the greeting. */
  raceMs: 10_000,
  /** For login, envelope and the go-ahead for the body, each. RFC 5321: 5 minutes for MAIL, 2 for DATA. */
  replyMs: 60_000,
  /** For the reply to the final dot, when a mail would else be left in doubt. RFC 5321: 10 minutes. */
  finalMs: 120_000,
} as const

/** One mail, with all its attempts, from the moment that it leaves the queue. */
export const DEADLINE_MS = 180_000

/** When the next port starts although the one before may still connect (RFC 8305 §5: 250 ms between addresses). */
export const NEXT_PORT_AFTER_MS = 300

/** When the next port starts although the one before is connected, and has not greeted. */
export const NEXT_PORT_AFTER_SILENCE_MS = 2_000

/** For the answer of a suppression store. A lookup takes milliseconds; a mail must not wait for one that is ill. */
export const SUPPRESSIONS_MS = 2_000

/** For how long a port that failed comes last. */
export const DEAD_PORT_MS = 300_000

/** {@link TIME_LIMITS}, as far as somebody sets them otherwise. */
export type TimeLimits = { readonly [K in keyof typeof TIME_LIMITS]: number }
