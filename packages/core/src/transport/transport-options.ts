import type { ConnectionOptions } from 'node:tls'
import type { SendMailOptions } from 'nodemailer'
import type { CompileOptions } from '../compile/settings.js'
import type { RetrySettings } from '../delivery/retry.js'
import type { PoolSettings } from '../delivery/route-plan.js'
import type { SendOnceStore } from '../delivery/send-once-store.js'
import type { CredentialOptions, Credentials, SmtpToken, StreamType } from '../smtp/credentials.js'
import type { GetSocket } from '../smtp/given-socket.js'
import type { Pipelining } from '../smtp/grouping.js'
import type { AuthMethod } from '../smtp/login.js'
import type { TimeLimits } from '../smtp/time-limits.js'
import type { PostmarkFields } from '../vocabulary/vocabulary.js'

/** One stream of {@link PostmarkTransportOptions}: its type, its own credentials, and its default fields. */
export interface StreamOptions extends Omit<PostmarkFields, 'messageStream'> {
  /** Default: `broadcasts` for the stream `broadcast` and for a token `PM-B-…`, otherwise `transactional`. */
  readonly type?: StreamType | undefined
  readonly serverToken?: string | undefined
  readonly smtpToken?: SmtpToken | undefined
  readonly credentials?: (() => Credentials | Promise<Credentials>) | undefined
}

/** Options of {@link createPostmarkTransport}. An unknown option throws immediately. */
export type PostmarkTransportOptions = CredentialOptions &
  CompileOptions & {
    /** The stream for emails that name none. Default: Postmark's default, `outbound`. */
    readonly messageStream?: string | undefined
    /** Settings of single streams, by stream ID. */
    readonly streams?: Readonly<Record<string, StreamOptions>> | undefined
    /** Whether an email may only name `messageStream` and the keys of `streams`. Default false. */
    readonly strictStreams?: boolean | undefined
    /** Replaces both of Postmark's hosts: for a sandbox or a relay. */
    readonly host?: string | undefined
    /** The ports, in the order in which they are tried; they race. Default 587, 2525, 25. */
    readonly ports?: readonly number[] | undefined
    /** Requires this mechanism. Default: PLAIN over TLS; without TLS, a challenge (DIGEST-MD5, CRAM-MD5). */
    readonly authMethod?: AuthMethod | undefined
    /** Options for Node's `tls.connect`. `rejectUnauthorized: false` is only allowed for a loopback host. */
    readonly tls?: ConnectionOptions | undefined
    /** Sends without STARTTLS. Only allowed for a loopback host. Default false. */
    readonly allowPlaintext?: boolean | undefined
    /**
     * The store that remembers which emails were sent under an `idempotencyKey`, so that each is sent at most once. A
     * store, or an object with a store and its times. Default none: a message with a key is rejected.
     * @example createRedisSendOnce(redis)
     */
    readonly sendOnce?: SendOnceStore | SendOnceOptions | undefined
    /** The lifetime of connections, and how many emails may wait. */
    readonly pool?: PoolOptions | undefined
    /** Which emails are retried, and for how long. */
    readonly retry?: Partial<RetrySettings> | undefined
    /** The time limits of the phases, in milliseconds. Default: race 10 s, reply 60 s, reply to the final dot 120 s. */
    readonly timeouts?: Partial<TimeLimits> | undefined
    /** Opens the sockets. If it calls back with neither a socket nor an error, the ports race as usual. */
    readonly getSocket?: GetSocket | undefined
    /**
     * How commands share a write. `auto` (default): the commands of one email share a write. If the server allows it,
     * whole emails follow one another (BDAT), or the commands of the next email are sent with the end of the previous
     * one. `envelope`: never across two emails, two round trips per email. false: each command waits for its reply, four
     * or more round trips.
     */
    readonly pipelining?: Pipelining | undefined
    /**
     * Default fields for messages, like the second argument of Nodemailer's createTransport: `from`, `replyTo`,
     * `headers` and others. Postmark fields among them count as `defaults`. Default none.
     * @example { from: 'Shop <shop@example.com>', replyTo: 'help@example.com', headers: { 'X-Shop': '1' } }
     */
    readonly message?: SendMailOptions | undefined
    /** Whether an email that refers to a file is rejected, as in Nodemailer: for untrusted messages. Default false. */
    readonly disableFileAccess?: boolean | undefined
    /** Whether an email that refers to a URL is rejected. Data URLs do not count. Default false. */
    readonly disableUrlAccess?: boolean | undefined
    /**
     * Like Nodemailer's: an object with `debug` and `info`, or true for standard output. It never receives a
     * credential.
     */
    readonly logger?: object | boolean | undefined
  }

/** A send-once store with its time settings. */
export interface SendOnceOptions {
  readonly store: SendOnceStore
  /**
   * How long a claim lasts unless it is renewed, which happens every third of that time, in milliseconds. Default
   * 30,000, at least 1,000. It does not affect safety: no email is sent when only a tenth of it is left. With a shorter
   * lease, a dead process is noticed sooner, but emails fail if the store cannot be reached for that long.
   */
  readonly leaseMs?: number | undefined
  /** Time limit for one answer of the store, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number | undefined
}

/** The lifetime of connections, and how many emails may wait for one. */
export interface PoolOptions extends Partial<PoolSettings> {
  /**
   * The maximum number of connections of this transport. Default: at most 10 for all transports of a process together,
   * as Postmark advises per IP address. Worker threads and other processes each have ten of their own.
   */
  readonly maxConnections?: number
  /**
   * The maximum number of emails on one connection that have no reply yet, if the server offers CHUNKING. If the
   * connection breaks, all of them are `unknown`. With 1, each email waits for the reply to the previous one. Default 4,
   * and 10 for emails of sendBatch. More than 10 has no effect, because servers hang up after so many refusals.
   */
  readonly maxInFlight?: number
  /**
   * The maximum number of emails that wait for a connection. sendMail rejects further emails immediately. Default: no
   * limit.
   */
  readonly maxQueued?: number
}
