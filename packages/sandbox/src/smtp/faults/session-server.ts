import type { SecureContext } from 'node:tls'
import type { SMTPServerAuthentication } from 'smtp-server'
import type { Fault } from './fault-script.js'

/** What a session needs of its server. */
export interface SessionServer {
  /** The mechanisms that EHLO lists. */
  readonly mechanisms: readonly string[]
  readonly certificate: SecureContext
  /** Bytes of a body beyond which nobody wants it (default: none). */
  readonly maxBytes?: number
  /** Whether a mail needs a login before it. */
  readonly wantsLogin: boolean
  /** Whether this login may pass. */
  logIn(login: SMTPServerAuthentication): boolean
  /** A line came. */
  heard?(line: string): void
  /** A fault is about to strike. */
  struck?(fault: Fault): void
  /** The connection is over TLS from now on. */
  secured(): void
  /** Takes a mail, before its reply; returns that reply. */
  accept(raw: Buffer, envelope: { readonly from: string; readonly to: readonly string[] }): string
}
