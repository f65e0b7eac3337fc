import type { ConnectionOptions } from 'node:tls'
import type { CompileOptions } from '../compile/settings.js'
import type { CredentialOptions, Credentials, SmtpToken, StreamType } from '../smtp/credentials.js'
import type { AuthMethod } from '../smtp/smtp-auth.js'
import type { TimeLimits } from '../smtp/time-limits.js'
import type { PostmarkFields } from '../vocabulary/vocabulary.js'

/** One stream of {@link PostmarkTransportOptions}: its type, credentials of its own, and default fields. */
export interface StreamOptions extends Omit<PostmarkFields, 'messageStream'> {
  /** Default: `broadcasts` for the stream `broadcast` and for a token `PM-B-…`, else `transactional`. */
  readonly type?: StreamType | undefined
  readonly serverToken?: string | undefined
  readonly smtpToken?: SmtpToken | undefined
  readonly credentials?: (() => Credentials | Promise<Credentials>) | undefined
}

/** Opens a socket in place of the race over the ports: a proxy, a tunnel. As Nodemailer's own `getSocket`. */
export type GetSocket = (
  options: object,
  done: (error: Error | null, socket?: { connection: object } | false) => void,
) => void

/** Options of {@link createPostmarkTransport}; an unknown one fails at once. */
export type PostmarkTransportOptions = CredentialOptions &
  CompileOptions & {
    /** Stream of mails that name none. Default: Postmark's own, `outbound`. */
    readonly messageStream?: string | undefined
    /** What differs by stream, by stream ID. */
    readonly streams?: Readonly<Record<string, StreamOptions>> | undefined
    /** Whether a mail may name only `messageStream` and the keys of `streams`. Default false. */
    readonly strictStreams?: boolean | undefined
    /** Takes the place of both of Postmark's hosts: a sandbox or a relay. */
    readonly host?: string | undefined
    /** Ports in the order of trial; they race. Default 587, 2525, 25. */
    readonly ports?: readonly number[] | undefined
    /** Mechanism to insist on. Default: PLAIN over TLS, a challenge (DIGEST-MD5, CRAM-MD5) without. */
    readonly authMethod?: AuthMethod | undefined
    /** As for Node's `tls.connect`; `rejectUnauthorized: false` on a loopback host alone. */
    readonly tls?: ConnectionOptions | undefined
    /** Sends without STARTTLS. On a loopback host alone. Default false. */
    readonly allowPlaintext?: boolean | undefined
    /** How connections live. */
    readonly pool?: (Partial<PoolSettings> & { readonly maxConnections?: number }) | undefined
    /** What is tried again, and how long. */
    readonly retry?: Partial<RetrySettings> | undefined
    /** Time limits of the phases, in milliseconds. Default: race 10 s, reply 60 s, reply to the final dot 120 s. */
    readonly timeouts?: Partial<TimeLimits> | undefined
    /** Opens the sockets, instead of the race over the ports. */
    readonly getSocket?: GetSocket | undefined
    /** As Nodemailer's; it never sees a credential. */
    readonly logger?: object | boolean | undefined
  }

/** How connections live. At most 10 are open in a process, unless `pool.maxConnections` says otherwise for a transport. */
export interface PoolSettings {
  /** Mails per connection. Default 100. */
  readonly maxMessages: number
  /** Age at which a connection is not used again, give or take a tenth. Default 300,000 ms. */
  readonly maxAgeMs: number
  /** Time without a mail after which a connection is closed, give or take a tenth. Default 30,000 ms. */
  readonly idleTimeoutMs: number
}

/** What is tried again: a mail that was deferred (4xx), or whose connection was lost before its body was out. */
export interface RetrySettings {
  /** How often a mail is tried in all. Default 4; 1 switches retries off. */
  readonly attempts: number
  /** Time for one mail with all its attempts, from when it leaves the queue. Default 180,000 ms. */
  readonly deadlineMs: number
  /** Longest pause before the second attempt; it doubles, up to 10 s, and is drawn at random below that. Default 500 ms. */
  readonly baseMs: number
  /** Whether to try again after an `unknown` outcome, at the risk of a second copy. Default false. */
  readonly unknown: boolean
}
