import type { SecureContext } from 'node:tls'

/** What a session needs of its server. */
export interface SessionHost {
  readonly mechanisms: readonly string[]
  readonly certificate: SecureContext
  /** A certificate that nobody vouches for. */
  readonly otherCertificate: SecureContext
  /** A line came. */
  heard(line: string): void
  /** The connection is over TLS from now on. */
  secured(): void
  /** Takes a mail, before its reply; returns that reply. */
  accept(raw: Buffer, envelope: { readonly from: string; readonly to: readonly string[] }): string
}
