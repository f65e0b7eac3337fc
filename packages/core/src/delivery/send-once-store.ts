/** The parameters of a claim. */
export interface SendOnceRequest {
  /** Identifies the sendMail call: different for each call, the same for all attempts of its email. */
  readonly owner: string
  /** How long the claim lasts unless it is renewed, in milliseconds. */
  readonly leaseMs: number
  /** The value of `send-once` in the metadata of the email, by which it can be found at Postmark. */
  readonly reference: string
  /** A hash of the recipients and the stream. A different mail under the same key is a conflict. */
  readonly fingerprint: string
}

/** What is kept about a sent email. It contains no address and no subject. */
export interface SendOnceInfo {
  /** The Message-ID of the email. */
  readonly messageId?: string | undefined
  /** The last line of the server's reply. */
  readonly response?: string | undefined
  /** The number of recipients that the server accepted. */
  readonly accepted?: number | undefined
  /** The number of recipients that the server refused. */
  readonly rejected?: number | undefined
  readonly envelopeTime?: number | undefined
  readonly messageTime?: number | undefined
  readonly messageSize?: number | undefined
}

/** What a lookup found about an email. */
export interface SendOnceResolution {
  /** Postmark's ID of the email. */
  readonly messageId?: string | undefined
  /** The code with which Postmark refused the email after its 250. @example 406 */
  readonly errorCode?: number | undefined
}

/** The result of {@link SendOnceStore.claim}. */
export type SendOnceClaim =
  /** The claim succeeded. */
  | 'claimed'
  /** The key belongs to another email: the fingerprint differs. */
  | 'conflict'
  /** Another owner has the key for this many milliseconds, unless it renews its claim. */
  | { readonly held: true; readonly forMs: number }
  /** The email was sent. `resolution` is set if a lookup found that out. */
  | {
      readonly sent: true
      readonly info?: SendOnceInfo | undefined
      readonly resolution?: SendOnceResolution | undefined
    }
  /** The email may or may not have been sent. `sinceMs` is the time since its sender last gave a sign of life. */
  | { readonly unknown: true; readonly sinceMs: number; readonly reference: string }

/** An email that may or may not have been sent. */
export interface SendOnceUnknown {
  /** Identifies this claim, not only its key: a later claim of the same key has another ID. */
  readonly id: string
  /** The value of `send-once` in the metadata of the email. */
  readonly reference: string
  /** The time since its sender last gave a sign of life, in milliseconds. */
  readonly sinceMs: number
}

/**
 * Remembers the keys of sent emails for all processes that share the store. A key is free, claimed, sent or unknown. A
 * claim whose lease has expired is unknown, because its sender may have died while sending. A key leaves the state
 * unknown only through `resolve`. Each method is atomic, and times are ages on the store's clock.
 * @see docs/send-once.md, which lists the rules for implementing your own store
 */
export interface SendOnceStore {
  /**
   * Claims a free key. If the owner of a claim asks again, it keeps the claim.
   * @param key a hash, never the caller's own string
   */
  claim(key: string, request: SendOnceRequest): SendOnceClaim | Promise<SendOnceClaim>
  /** Extends a claim. Returns false if its lease has expired, or if someone else has decided what became of it. */
  renew(key: string, owner: string, leaseMs: number): boolean | Promise<boolean>
  /**
   * Ends a claim, even one whose lease has expired. `sent` is accepted in every state and from anyone; the other two
   * only from the owner. `released` frees the key. Returns false if nothing changed.
   */
  settle(
    key: string,
    owner: string,
    state: 'sent' | 'unknown' | 'released',
    info?: SendOnceInfo,
  ): boolean | Promise<boolean>
  /** Decides about an email that is still unknown. Other emails are not changed. */
  resolve(id: string, state: 'sent' | 'released', resolution?: SendOnceResolution): unknown
  /** All emails with an unknown outcome, including claims whose lease has expired. */
  unknowns(): AsyncIterable<SendOnceUnknown>
}
