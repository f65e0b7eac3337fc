import type { Reply } from './reply-reader.js'

/** Receives the reply to its own command. */
export interface ReplyHandler {
  onReply(reply: Reply): void
}

/** Why a channel ended. */
export type ChannelEnd =
  | { readonly kind: 'lost'; readonly cause: Error | undefined }
  /** A time limit was exceeded. */
  | { readonly kind: 'late' }
  /** The server sent something that is not a reply, or a reply that no command waits for. */
  | { readonly kind: 'protocol'; readonly what: string }
  /** The server closes the connection (RFC 5321 §3.8): this reply was its last. */
  | { readonly kind: 'goodbye'; readonly reply: Reply }

/** The reader of a channel: first a handshake, then a session. */
export interface ChannelOwner {
  /** A reply that no command waits for; the channel ends after it. */
  onUnasked?(reply: Reply): void
  /**
   * The server says that it closes the connection. Return true if it may still obey what was already written, so that
   * the end must be awaited: some servers reply to a command with 421 and continue. Without this method the channel
   * ends.
   */
  onGoodbye?(): boolean
  /** A time limit was exceeded. Return true if it has been handled here. Without this method the channel ends. */
  onLimit?(): boolean
  /** Called once, when nothing more will arrive. Replies that were still awaited never arrive. */
  onEnd(end: ChannelEnd): void
}
