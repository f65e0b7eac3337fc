/** An email with a send-once key, for which it is not known whether Postmark accepted it. */
export interface UnknownSend {
  /** The ID of this claim in the store. It is not the ID of the key: a later claim of the same key has another ID. */
  readonly id: string
  /** The reference in the email's metadata. */
  readonly reference: string
  /** How long the email has been unknown, in milliseconds, counted from the last sign of life of its sender. */
  readonly sinceMs: number
}

/** What a store receives about an email that was found. */
export interface ResolvedInfo {
  /** Postmark's ID of the email; undefined for an email that Postmark refused. */
  readonly messageId?: string | undefined
  /** Why Postmark refused the email after its 250. @example 406 */
  readonly errorCode?: number | undefined
}

/** The part of a send-once store that holds the emails whose outcome is unknown. */
export interface UnknownStore {
  unknowns(): AsyncIterable<UnknownSend>
  /** Changes the state of an email, only if it is still unknown. */
  resolve(id: string, state: 'sent' | 'released', info?: ResolvedInfo): unknown
}
