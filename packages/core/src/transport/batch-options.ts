import type { SendMailOptions } from 'nodemailer'
import type { PostmarkSentInfo } from './create-transport.js'

/**
 * One mail of a batch: what differs from the message that all share. An undefined field is one that is not given.
 * @example { to: 'ann@example.com', key: '4711', postmark: { metadata: { 'user-id': '4711' } } }
 */
export interface BatchMessage extends SendMailOptions {
  /**
   * A name of your own for this mail, which its result has too. With the option `sendOnce: true` it is also the
   * idempotency key. @example 'news-2026-11:4711'
   */
  readonly key?: string | undefined
}

/** What each result of a batch has. */
export interface BatchItem {
  /** The place of the mail among the messages, from 0. */
  readonly index: number
  /** The key of the mail: its own, or what the function `sendOnce` made. */
  readonly key: string | undefined
  /** The recipients as the message gave them. */
  readonly to: SendMailOptions['to']
}

/** What became of one mail of a batch; `outcome` tells the kinds apart. */
export type BatchResult = BatchItem &
  (
    | {
        /** The server has accepted the mail now, or (`duplicate`) did so before, under the same key. */
        readonly outcome: 'sent' | 'duplicate'
        readonly info: PostmarkSentInfo
      }
    | {
        /** Every recipient is suppressed, so the mail was passed over. */
        readonly outcome: 'suppressed'
        readonly recipients: readonly string[]
      }
    | {
        /**
         * `refused`: the mail itself cannot be sent, by preflight or by the server (5xx). `failed`: it was not sent, and may
         * be sent again. `unknown`: it may have been accepted, so that sending it again may double it.
         */
        readonly outcome: 'refused' | 'failed' | 'unknown'
        readonly error: Error
      }
  )

/** The outcomes of the mails of a batch. */
export type BatchOutcome = BatchResult['outcome']

/** How far a batch is. The counts are of all mails that are through, whether or not their results were read. */
export interface BatchProgress {
  /** Accepted by the server in this run. */
  readonly sent: number
  /** Sent before, under the same key. */
  readonly duplicates: number
  /** Passed over, since every recipient is suppressed. */
  readonly suppressed: number
  /** Mails that cannot be sent as they are. */
  readonly refused: number
  /** Mails that were not sent, and may be sent again. */
  readonly failed: number
  /** Mails that may have been accepted. */
  readonly unknown: number
  /** The sum of these. */
  readonly done: number
  /** Mails a second that went through in the last seconds. */
  readonly perSecond: number
  /** Mails that are still to come; undefined where their number is not known. */
  readonly left: number | undefined
}

/** Options of {@link sendBatch}; an unknown one fails at once. */
export interface BatchOptions {
  /**
   * What all mails share. A mail's own fields take its place; of `headers`, `postmark` and its metadata, only what has
   * the same name. Content that all share is composed once. A Readable cannot be shared. Default none.
   * @example { from: 'News <news@example.com>', subject: 'November', html, text }
   */
  readonly message?: SendMailOptions | undefined
  /**
   * Mails that are under way, and results that nobody has read yet, at once, at most. Default twelve times the connections
   * of the transporter, usually 120, and no more than 200: for each, ten on their way where the server takes them one after
   * the other (`pool.maxInFlight`), one that is composed, and one that takes its place. Never more than `pool.maxQueued`, which
   * several batches may reach each.
   */
  readonly concurrency?: number | undefined
  /** Mails that may begin in a second. Default no limit but the connections and the server. */
  readonly perSecond?: number | undefined
  /**
   * Whether each mail goes out at most once under a key: its `key` (or `idempotencyKey`), or what the function makes of it.
   * The transporter must have a store. Default false.
   * @example sendOnce: ({ key }) => `news-2026-11:${key}`
   */
  readonly sendOnce?: boolean | ((message: BatchMessage, index: number) => string) | undefined
  /**
   * What happens to a mail whose recipients are all suppressed: it is passed over, with the outcome `suppressed`. The only
   * value, and the default; the transporter's own option does not count here.
   */
  readonly suppressed?: 'skip' | undefined
  /**
   * Whether mails may go out on a transactional stream. Default false: Postmark asks for bulk mail on broadcast streams,
   * which keeps complaints about a newsletter from delaying the mails that people wait for.
   */
  readonly allowTransactional?: boolean | undefined
  /**
   * Ends the run: no further message is taken, mails that no connection has are given up (`failed`), those under way are
   * finished. When all results are read, the iteration throws the reason of the signal.
   */
  readonly signal?: AbortSignal | undefined
  /** Called at most ten times a second, and once at the end. What it throws ends the run. */
  readonly onProgress?: ((progress: BatchProgress) => void) | undefined
  /**
   * How many messages there are, for `left` of the progress. Default: the length or size of an array, Set or Map; of any
   * other source it is not known.
   */
  readonly total?: number | undefined
  /**
   * Whether the error of a mail ends the run, since all others would fail as well. Default: a refused login, a stream that
   * is unknown or not allowed, a fault of TLS, of the connection or of the configuration, but no 4xx reply.
   */
  readonly stopOn?: ((error: Error) => boolean) | undefined
}
