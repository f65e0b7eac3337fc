import type { SecureContext } from 'node:tls'
import type { SMTPServerAuthentication } from 'smtp-server'
import type { Fault } from './fault-script.js'

/** What a session needs from its server. */
export interface SessionServer {
  /** The mechanisms that EHLO lists. */
  readonly mechanisms: readonly string[]
  readonly certificate: SecureContext
  /** The size of a body beyond which the server refuses it anyway (default: none). */
  readonly maxBytes?: number
  /** Whether a client must log in before it sends an email. */
  readonly wantsLogin: boolean
  /** Whether this login is accepted. */
  logIn(login: SMTPServerAuthentication): boolean
  /** A line came. */
  heard?(line: string): void
  /** A fault is about to strike. */
  struck?(fault: Fault): void
  /** The connection is over TLS from now on. */
  secured(): void
  /** Accepts an email before the reply to it, and returns that reply. */
  accept(raw: Buffer, envelope: { readonly from: string; readonly to: readonly string[] }): string
}
