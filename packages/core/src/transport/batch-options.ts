import type { SendMailOptions } from 'nodemailer'
import type { PostmarkSentInfo } from './create-transport.js'

/**
 * One email of a batch: what differs from the shared message. An undefined field counts as not set.
 * @example { to: 'ann@example.com', key: '4711', postmark: { metadata: { 'user-id': '4711' } } }
 */
export interface BatchMessage extends SendMailOptions {
  /**
   * Your own name for this email, which is also in its result. With the option `sendOnce: true` it is also the
   * idempotency key.
   * @example 'news-2026-11:4711'
   */
  readonly key?: string | undefined
}

/** What every result of a batch has. */
export interface BatchItem {
  /** The index of the email among the messages, starting at 0. */
  readonly index: number
  /** The key of the email: its own, or the return value of the function `sendOnce`. */
  readonly key: string | undefined
  /** The recipients, as given in the message. */
  readonly to: SendMailOptions['to']
}

/** What became of one email of a batch. `outcome` identifies the kind of result. */
export type BatchResult = BatchItem &
  (
    | {
        /** The server accepted the email now, or (`duplicate`) had already accepted it under the same key. */
        readonly outcome: 'sent' | 'duplicate'
        readonly info: PostmarkSentInfo
      }
    | {
        /** Every recipient is suppressed, so the email was skipped. */
        readonly outcome: 'suppressed'
        readonly recipients: readonly string[]
      }
    | {
        /**
         * `refused`: the email itself cannot be sent, according to preflight or the server (5xx). `failed`: it was not
         * sent, and may be sent again. `unknown`: it may have been accepted, so sending it again may duplicate it.
         */
        readonly outcome: 'refused' | 'failed' | 'unknown'
        readonly error: Error
      }
  )

/** The possible outcomes of an email in a batch. */
export type BatchOutcome = BatchResult['outcome']

/** The progress of a batch. The counts include all finished emails, whether or not their results have been read. */
export interface BatchProgress {
  /** Accepted by the server in this run. */
  readonly sent: number
  /** Already sent under the same key. */
  readonly duplicates: number
  /** Skipped because every recipient is suppressed. */
  readonly suppressed: number
  /** Emails that cannot be sent as they are. */
  readonly refused: number
  /** Emails that were not sent, and may be sent again. */
  readonly failed: number
  /** Emails that may have been accepted. */
  readonly unknown: number
  /** The sum of the counts above. */
  readonly done: number
  /** Emails finished per second, over the last seconds. */
  readonly perSecond: number
  /** Emails still to come. Undefined if their number is not known. */
  readonly left: number | undefined
}

/** Options of {@link sendBatch}. An unknown option throws immediately. */
export interface BatchOptions {
  /**
   * What all emails share. An email's own fields override it; in `headers`, `postmark` and its metadata, only entries with
   * the same name are overridden. Shared content is composed once. A Readable cannot be shared. Default none.
   * @example { from: 'News <news@example.com>', subject: 'November', html, text }
   */
  readonly message?: SendMailOptions | undefined
  /**
   * The maximum number of emails in progress and unread results together. Default: twelve times the connections of the
   * transporter, usually 120, and at most 200. Per connection that is ten emails in flight, if the server accepts
   * consecutive emails (`pool.maxInFlight`), one being composed, and one to replace it. It never exceeds
   * `pool.maxQueued`, which each of several batches may reach.
   */
  readonly concurrency?: number | undefined
  /** The maximum number of emails started per second. Default: limited only by the connections and the server. */
  readonly perSecond?: number | undefined
  /**
   * Whether each email is sent at most once under a key: its `key` (or `idempotencyKey`), or the return value of the
   * function. The transporter must have a store. Default false.
   * @example sendOnce: ({ key }) => `news-2026-11:${key}`
   */
  readonly sendOnce?: boolean | ((message: BatchMessage, index: number) => string) | undefined
  /**
   * What happens to an email whose recipients are all suppressed: it is skipped, with the outcome `suppressed`. This is
   * the only value and the default; the transporter's own option does not apply here.
   */
  readonly suppressed?: 'skip' | undefined
  /**
   * Whether emails may be sent on a transactional stream. Default false: Postmark asks for bulk mail on broadcast
   * streams, so that complaints about a newsletter do not delay mail that people wait for.
   */
  readonly allowTransactional?: boolean | undefined
  /**
   * Ends the run: no further messages are taken, emails that no connection has yet are given up (`failed`), and those in
   * progress are finished. After all results are read, the iteration throws the signal's reason.
   */
  readonly signal?: AbortSignal | undefined
  /** Called at most ten times per second, and once at the end. An error it throws ends the run. */
  readonly onProgress?: ((progress: BatchProgress) => void) | undefined
  /**
   * The number of messages, for `left` in the progress. Default: the length or size of an array, Set or Map; not known
   * for any other source.
   */
  readonly total?: number | undefined
  /**
   * Whether the error of an email ends the run because all others would fail as well. Default: true for a refused login,
   * a stream that is unknown or not allowed, and errors of TLS, the connection or the configuration, but not for 4xx
   * replies.
   */
  readonly stopOn?: ((error: Error) => boolean) | undefined
}
