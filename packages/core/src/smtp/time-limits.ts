/**
 * The time limits of a session, in milliseconds. Each is absolute, so that a server that sends a byte now and then
 * cannot keep a session open. RFC 5321 §4.5.3.2 asks for minutes; Postmark replies in well under a second, and a web
 * request is waiting.
 */
export const TIME_LIMITS = {
  /** Until a port has greeted. RFC 5321: 5 minutes for the greeting. */
  raceMs: 10_000,
  /**
   * For TLS and login together, and for an envelope up to the go-ahead for the body. RFC 5321: 5 minutes for MAIL, 2
   * for DATA.
   */
  replyMs: 60_000,
  /**
   * For each 64 kB of a body, and for the final reply, without which the outcome would be unknown. RFC 5321: 10
   * minutes.
   */
  finalMs: 120_000,
} as const

/** {@link TIME_LIMITS}, with other values. */
export type TimeLimits = { readonly [K in keyof typeof TIME_LIMITS]: number }

/** When the next port starts although the previous one may still connect (RFC 8305 §5: 250 ms between addresses). */
export const NEXT_PORT_AFTER_MS = 300

/** When the next port starts although the previous one is connected but has not greeted. */
export const NEXT_PORT_AFTER_SILENCE_MS = 2_000

/** How long a failed port is tried last. */
export const DEAD_PORT_MS = 300_000

/** For the reply to QUIT and the end of the connection, when a session has nothing more to do. */
export const QUIT_MS = 2_000

/** For the reply to the RSET at the start of a group, once the body before it was answered. */
export const GROUP_RESET_MS = 2_000

/**
 * For an email with which a session finds out whether its server supports BDAT, until its body may follow; and for the
 * reply to EHLO after the first two emails in flight at once.
 */
export const PROBE_MS = 10_000

/**
 * How long a reply counts as a sign that the server is there. After that, no further mail is risked on the connection.
 */
export const SIGN_OF_LIFE_MS = 1_000
