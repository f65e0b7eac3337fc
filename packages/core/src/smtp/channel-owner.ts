import type { Reply } from './reply-reader.js'

/** Takes the reply to a command of its own. */
export interface ReplyHandler {
  onReply(reply: Reply): void
}

/** Why a channel ended. */
export type ChannelEnd =
  | { readonly kind: 'lost'; readonly cause: Error | undefined }
  /** A limit of time was over. */
  | { readonly kind: 'late' }
  /** What the server sent is no reply, or the reply to nothing. */
  | { readonly kind: 'protocol'; readonly what: string }
  /** The server closes the connection (RFC 5321 §3.8): this reply was its last. */
  | { readonly kind: 'goodbye'; readonly reply: Reply }

/** Who reads a channel: a handshake first, then a session. */
export interface ChannelOwner {
  /** A reply that no command waits for; the channel ends after it. */
  onUnasked?(reply: Reply): void
  /**
   * The server says that it closes the connection. True where it may obey what was written before all the same, so that
   * its end must be awaited: servers exist that answer a command with 421 and go on. Without it the channel ends.
   */
  onGoodbye?(): boolean
  /** A limit of time is over; true where that needs no more than what was done here. Without it the channel ends. */
  onLimit?(): boolean
  /** Called once, when nothing more will come. Replies that were still awaited never come. */
  onEnd(end: ChannelEnd): void
}
