/** An email in the log of a real server. */
export interface LoggedMail {
  readonly from: string
  readonly subject: string
  readonly recipients: number
}

/**
 * A real SMTP server, run from its own folder. All of them refuse by the same rule, so the same emails are refused
 * everywhere: {@link REFUSALS}.
 */
export interface RealServer extends AsyncDisposable {
  readonly host: '127.0.0.1'
  readonly port: number
  /** The server's own certificate in PEM, for `tls: { ca }`; valid for localhost and 127.0.0.1. */
  readonly ca: string
  /** Everything that the server has logged so far. */
  readonly log: string
  /** Resolves to the first match in the log; waits for it if necessary. */
  waitForLog(pattern: RegExp): Promise<RegExpExecArray>
  /** The emails that the server has accepted according to its log, each copy once, oldest first. */
  taken(): readonly LoggedMail[]
  /** Resolves when the log has an accepted mail from this sender. The log may be later than the reply. */
  waitForTaken(from: string): Promise<void>
  /** The number of connections according to the log. */
  connections(): number
  /** Ends every process of the server and removes its files. */
  close(): Promise<void>
}

/** The beginnings of local parts for which the servers refuse an address. */
export const REFUSALS = {
  /** A sender that is refused for good (5xx), by Postfix and Exim. */
  sender: 'no-sender',
  /** A recipient that is refused for good (5xx). */
  recipient: 'refused',
  /** A recipient that is refused for now (4xx). */
  recipientForNow: 'later',
  /** A recipient that Exim refuses with 421, although it continues the session. */
  recipientGoodbye: 'goodbye',
  /** A sender whose emails are refused for good after the body. */
  body: 'bad-body',
  /** A sender whose emails are refused for now after the body. */
  bodyForNow: 'late-body',
} as const

/** The largest email that a real server accepts, as at Postmark. */
export const REAL_SERVER_BYTES: number = 10 * 1024 * 1024

/** An account of a real server. */
export interface RealUser {
  readonly user: string
  readonly pass: string
}
