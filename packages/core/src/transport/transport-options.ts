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

/** One stream of {@link PostmarkTransportOptions}: its type, credentials of its own, and default fields. */
export interface StreamOptions extends Omit<PostmarkFields, 'messageStream'> {
  /** Default: `broadcasts` for the stream `broadcast` and for a token `PM-B-…`, else `transactional`. */
  readonly type?: StreamType | undefined
  readonly serverToken?: string | undefined
  readonly smtpToken?: SmtpToken | undefined
  readonly credentials?: (() => Credentials | Promise<Credentials>) | undefined
}

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
    /** As for Node's `tls.connect`; `rejectUnauthorized: false` only on a loopback host. */
    readonly tls?: ConnectionOptions | undefined
    /** Sends without STARTTLS. Only on a loopback host. Default false. */
    readonly allowPlaintext?: boolean | undefined
    /**
     * Where it is kept which mails were sent under an `idempotencyKey`: such a mail goes out at most once. A store, or an
     * object with the store and its times. Default none: a message with a key is refused.
     * @example createRedisSendOnce(redis)
     */
    readonly sendOnce?: SendOnceStore | SendOnceOptions | undefined
    /** How connections live, and how many mails may wait. */
    readonly pool?: PoolOptions | undefined
    /** What is tried again, and how long. */
    readonly retry?: Partial<RetrySettings> | undefined
    /** Time limits of the phases, in milliseconds. Default: race 10 s, reply 60 s, reply to the final dot 120 s. */
    readonly timeouts?: Partial<TimeLimits> | undefined
    /** Opens the sockets. Where it calls back without one and without an error, the ports race as usual. */
    readonly getSocket?: GetSocket | undefined
    /**
     * How commands share a write. `auto` (default): one mail's commands do, and where the server takes it whole mails
     * follow one another (BDAT), or the next mail's commands go out with the end of the one before. `envelope`: never
     * over two mails, two round trips per mail. false: each command waits for its reply, four round trips and more.
     */
    readonly pipelining?: Pipelining | undefined
    /**
     * Default fields of messages, as the second argument of Nodemailer's createTransport: `from`, `replyTo`, `headers` and
     * others. Postmark's fields among them count as `defaults`. Default none.
     * @example { from: 'Shop <shop@example.com>', replyTo: 'help@example.com', headers: { 'X-Shop': '1' } }
     */
    readonly message?: SendMailOptions | undefined
    /** Whether a mail that names a file is rejected, as with Nodemailer: for messages of strangers. Default false. */
    readonly disableFileAccess?: boolean | undefined
    /** Whether a mail that names a URL is rejected. A data URL is none. Default false. */
    readonly disableUrlAccess?: boolean | undefined
    /** As Nodemailer's: an object with `debug` and `info`, or true for standard output. It never sees a credential. */
    readonly logger?: object | boolean | undefined
  }

/** A send-once store with its times. */
export interface SendOnceOptions {
  readonly store: SendOnceStore
  /**
   * For how long a claim holds unless it is renewed, which happens every third of that, in milliseconds. Default 30,000,
   * at least 1,000. What it says of safety is nothing: no mail goes out when a tenth of it is left. A shorter one is
   * noticed sooner when a process has died, and fails mails when the store is out of reach for as long.
   */
  readonly leaseMs?: number | undefined
  /** For one answer of the store, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number | undefined
}

/** How connections live, and how many mails may wait for one. */
export interface PoolOptions extends Partial<PoolSettings> {
  /**
   * Connections of this transport at once. Default: at most 10 for all transports of a process together, as Postmark
   * advises per IP address. Worker threads and other processes have ten of their own.
   */
  readonly maxConnections?: number
  /**
   * Mails that may be out on one connection without a reply, where the server offers CHUNKING: that many are `unknown`
   * when it breaks. 1: each waits for the reply to the one before. Default 4, and 10 for mails of sendBatch; more
   * than 10 have no effect, since servers hang up on who has so many refused.
   */
  readonly maxInFlight?: number
  /** Mails that may wait for a connection; sendMail rejects one more at once. Default: no limit. */
  readonly maxQueued?: number
}
