/** A mail in the log of a real server. */
export interface LoggedMail {
  readonly from: string
  readonly subject: string
  readonly recipients: number
}

/**
 * A real SMTP server, from a folder of its own. Each refuses by the same rule, so that the same mails meet the same
 * refusals everywhere: {@link REFUSALS}.
 */
export interface RealServer extends AsyncDisposable {
  readonly host: '127.0.0.1'
  readonly port: number
  /** The server's own certificate in PEM, for `tls: { ca }`; valid for localhost and 127.0.0.1. */
  readonly ca: string
  /** Everything that it logged so far. */
  readonly log: string
  /** The first match in its log, there already or yet to come. */
  waitForLog(pattern: RegExp): Promise<RegExpExecArray>
  /** The mails that it took, each copy once, oldest first, as far as its log has them. */
  taken(): readonly LoggedMail[]
  /** Resolves when its log has a mail that it took from this sender: the log comes later than the reply. */
  waitForTaken(from: string): Promise<void>
  /** How many connections came, by its log. */
  connections(): number
  /** Ends every process of it and removes its files. */
  close(): Promise<void>
}

/** What the local part of an address begins with, where the server refuses it. */
export const REFUSALS = {
  /** A sender that is refused for good (5xx), by Postfix and Exim. */
  sender: 'no-sender',
  /** A recipient that is refused for good (5xx). */
  recipient: 'refused',
  /** A recipient that is refused for now (4xx). */
  recipientForNow: 'later',
  /** A recipient that Exim refuses with 421; it goes on all the same. */
  recipientGoodbye: 'goodbye',
  /** A sender whose body is refused for good at its end. */
  body: 'bad-body',
  /** A sender whose body is refused for now at its end. */
  bodyForNow: 'late-body',
} as const

/** The largest mail that a real server takes, as Postmark's. */
export const REAL_SERVER_BYTES: number = 10 * 1024 * 1024

/** An account of a real server. */
export interface RealUser {
  readonly user: string
  readonly pass: string
}
