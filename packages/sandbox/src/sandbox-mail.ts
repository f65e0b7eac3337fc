import { randomBytes } from 'node:crypto'
import { fromHeaderEntries, type ParsedPostmarkFields } from '@postmark-smtp/core'
import { addressParser } from 'postal-mime'
import { headerValue, type MailHeader, readHeaderBlock } from './header-block.js'
import { type MailContent, parseContent } from './mail-content.js'

/** The addresses of the SMTP dialogue, which may differ from those of the header. */
export interface MailEnvelope {
  readonly from: string
  /** Every recipient that was accepted, Bcc included, in order. */
  readonly to: readonly string[]
}

/** A mail that the sandbox accepted. Who had logged in is not kept: the user name is the secret token. */
export interface SandboxMail {
  /** The queue ID of the `250` reply. It is not the MessageID of a webhook. @example '4FA1C09B2E' */
  readonly id: string
  readonly receivedAt: Date
  readonly envelope: MailEnvelope
  /** The address in the From header, empty without one. @example 'shop@example.com' */
  readonly from: string
  /** The addresses in the To header. */
  readonly to: readonly string[]
  /** The decoded subject, empty without one. */
  readonly subject: string
  /** The fields that Postmark would read. @example { tag: 'welcome', metadata: { 'order-id': '1' } } */
  readonly postmark: ParsedPostmarkFields
  /** Every header field in its order, decoded. */
  readonly headers: readonly MailHeader[]
  /** Whether the mail came over TLS. */
  readonly secure: boolean
  /** The bytes as received. Not enumerable, so that a printed mail and a test's diff stay readable. */
  readonly raw: Buffer
  /** Text, html and attachments: parsed at the first call, since that costs far more than the header block. */
  parse(): Promise<MailContent>
}

/** Makes a {@link SandboxMail} of the bytes after DATA. */
export function toSandboxMail(raw: Buffer, envelope: MailEnvelope, secure: boolean): SandboxMail {
  const headers = readHeaderBlock(raw)
  let content: Promise<MailContent> | undefined
  const mail: SandboxMail = {
    id: randomBytes(5).toString('hex').toUpperCase(),
    receivedAt: new Date(),
    envelope,
    from: addresses(headers, 'from')[0] ?? '',
    to: addresses(headers, 'to'),
    subject: headerValue(headers, 'subject') ?? '',
    postmark: fromHeaderEntries(headers),
    headers,
    secure,
    raw,
    parse() {
      content ??= parseContent(raw)
      return content
    },
  }
  return Object.defineProperties(mail, { raw: { enumerable: false }, parse: { enumerable: false } })
}

function addresses(headers: readonly MailHeader[], name: string): string[] {
  const value = headerValue(headers, name)
  if (value === undefined) return []
  return addressParser(value, { flatten: true }).flatMap(({ address }) => address || [])
}
