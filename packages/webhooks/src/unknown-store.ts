/** A mail under a send-once key of which nobody knows whether Postmark took it. */
export interface UnknownSend {
  /** Names this claim in the store, and not its key only: a later claim of the same key has another one. */
  readonly id: string
  /** What the mail has in its metadata. */
  readonly reference: string
  /** For how long it has been unknown, in milliseconds, counted from the last sign of life of its sender. */
  readonly sinceMs: number
}

/** What a store is given with a mail that was found. */
export interface ResolvedInfo {
  /** Postmark's ID of the mail; undefined for one that it refused. */
  readonly messageId?: string | undefined
  /** Why Postmark refused the mail after its 250. @example 406 */
  readonly errorCode?: number | undefined
}

/** The part of a send-once store that holds the mails of unknown outcome. */
export interface UnknownStore {
  unknowns(): AsyncIterable<UnknownSend>
  /** Changes the state of one that is still unknown, and of no other. */
  resolve(id: string, state: 'sent' | 'released', info?: ResolvedInfo): unknown
}
