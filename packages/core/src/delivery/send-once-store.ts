/** What a claim is made with. */
export interface SendOnceRequest {
  /** Names the call of sendMail: another one for each, the same for all attempts of its mail. */
  readonly owner: string
  /** For how long the claim holds unless it is renewed, in milliseconds. */
  readonly leaseMs: number
  /** What the mail has in its metadata under `send-once`, so that Postmark can be asked for it. */
  readonly reference: string
  /** A hash of recipients and stream: another mail under the same key is a conflict. */
  readonly fingerprint: string
}

/** What is kept of a mail that was sent: no address and no subject. */
export interface SendOnceInfo {
  /** The Message-ID of the mail. */
  readonly messageId?: string | undefined
  /** The last line of the server. */
  readonly response?: string | undefined
  /** How many recipients the server took. */
  readonly accepted?: number | undefined
  /** How many recipients the server refused. */
  readonly rejected?: number | undefined
  readonly envelopeTime?: number | undefined
  readonly messageTime?: number | undefined
  readonly messageSize?: number | undefined
}

/** What a look-up has found out about a mail. */
export interface SendOnceResolution {
  /** Postmark's ID of the mail. */
  readonly messageId?: string | undefined
  /** Why Postmark refused the mail after its 250. @example 406 */
  readonly errorCode?: number | undefined
}

/** What {@link SendOnceStore.claim} found under a key. */
export type SendOnceClaim =
  /** The key is ours. */
  | 'claimed'
  /** The key belongs to another mail: the fingerprint differs. */
  | 'conflict'
  /** Another owner has the key, for so many milliseconds unless it renews its claim. */
  | { readonly held: true; readonly forMs: number }
  /** The mail was sent. `resolution` is there where a look-up found that out. */
  | {
      readonly sent: true
      readonly info?: SendOnceInfo | undefined
      readonly resolution?: SendOnceResolution | undefined
    }
  /** It is not known whether the mail was sent; `sinceMs` is the age of the last sign of life of its sender. */
  | { readonly unknown: true; readonly sinceMs: number; readonly reference: string }

/** A mail of which nobody knows whether it was sent. */
export interface SendOnceUnknown {
  /** Names this claim, and not its key only: a later claim of the same key has another ID. */
  readonly id: string
  /** What the mail has in its metadata under `send-once`. */
  readonly reference: string
  /** How long ago its sender last gave a sign of life, in milliseconds. */
  readonly sinceMs: number
}

/**
 * Remembers under which keys mails were sent, for all processes that share it. A key is free, claimed, sent or unknown.
 * A claim whose lease is over is unknown, since its sender may have died in the middle of the mail; what is unknown
 * leaves that state by `resolve` only. Each method is atomic; times are ages on the clock of the store.
 * @see docs/send-once.md, which has the rules for a store of your own
 */
export interface SendOnceStore {
  /** Takes a free key. The owner of a claim that asks again has it still. @param key a hash, never the caller's own text */
  claim(key: string, request: SendOnceRequest): SendOnceClaim | Promise<SendOnceClaim>
  /** Extends a claim. False where its lease is over, or where somebody else decided what became of it. */
  renew(key: string, owner: string, leaseMs: number): boolean | Promise<boolean>
  /**
   * Ends a claim, also one whose lease is over. `sent` holds from whatever state, and whoever says so; the other two
   * are the owner's to say. `released` frees the key. False where nothing changed.
   */
  settle(
    key: string,
    owner: string,
    state: 'sent' | 'unknown' | 'released',
    info?: SendOnceInfo,
  ): boolean | Promise<boolean>
  /** Decides about a mail that is still unknown, and changes no other. */
  resolve(id: string, state: 'sent' | 'released', resolution?: SendOnceResolution): unknown
  /** The mails of unknown outcome, claims whose lease is over included. */
  unknowns(): AsyncIterable<SendOnceUnknown>
}
