/**
 * Every time limit of a session, in milliseconds; each is absolute, so that a server that sends a byte now and then
 * cannot hold a session open. RFC 5321 §4.5.3.2 asks for minutes; Postmark answers in well under a second, and a web
 * request waits for it.
 */
export const TIME_LIMITS = {
  /** Until some port has greeted. RFC 5321: 5 minutes for the greeting. */
  raceMs: 10_000,
  /** For TLS and login together, for an envelope with the go-ahead for the body. RFC 5321: 5 minutes for MAIL, 2 for DATA. */
  replyMs: 60_000,
  /** For each 64 kB of a body, and for the reply to it, when a mail would otherwise be left in doubt. RFC 5321: 10 minutes. */
  finalMs: 120_000,
} as const

/** {@link TIME_LIMITS}, as far as somebody sets them otherwise. */
export type TimeLimits = { readonly [K in keyof typeof TIME_LIMITS]: number }

/** When the next port starts although the one before may still connect (RFC 8305 §5: 250 ms between addresses). */
export const NEXT_PORT_AFTER_MS = 300

/** When the next port starts although the one before is connected, and has not greeted. */
export const NEXT_PORT_AFTER_SILENCE_MS = 2_000

/** For how long a port that failed comes last. */
export const DEAD_PORT_MS = 300_000

/** For the reply to QUIT, and the end of the connection, of a session that has nothing more to do. */
export const QUIT_MS = 2_000

/** For the reply to the RSET that leads a group, once the body before it was answered. */
export const GROUP_RESET_MS = 2_000

/**
 * For a mail by which a session finds out whether its server knows BDAT, until its body may follow; and for the reply to
 * EHLO after the first two mails that were in flight at once.
 */
export const PROBE_MS = 10_000

/** For how long a reply says that the server is there: after that no further mail is put in doubt on a connection. */
export const SIGN_OF_LIFE_MS = 1_000
