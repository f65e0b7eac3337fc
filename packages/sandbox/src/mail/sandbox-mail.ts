import { randomUUID } from 'node:crypto'
import type { StreamType } from '@postmark-smtp/core'
import { fromHeaderEntries, type ParsedPostmarkFields } from '@postmark-smtp/core'
import { readAddresses } from './addresses.js'
import type { Arrival } from './arrival.js'
import { toDeliveredCopy } from './delivered-copy.js'
import { decodeFields, headerValue, type MailHeader, readRawFields } from './header-block.js'
import { type MailAddresses, readMailAddresses } from './mail-addresses.js'
import { type MailContent, readContent } from './mail-content.js'
import { listLinks } from './mail-links.js'
import { readParts } from './mime-parts.js'
import type { Judgement, Verdict } from './verdict.js'

/** The addresses of the SMTP dialogue, which may differ from those of the header. */
export interface MailEnvelope {
  readonly from: string
  /** Every recipient that was accepted, Bcc included, in order. */
  readonly to: readonly string[]
}

/** An email that the sandbox accepted. It does not say who logged in, because the user name is the secret token. */
export interface SandboxMail {
  /** The queue ID of the `250` reply. It is not the MessageID of a webhook. @example '4FA1C09B2E' */
  readonly id: string
  /** Postmark's MessageID, a UUID. Webhooks and the REST API use it to name the email. */
  readonly messageId: string
  readonly receivedAt: Date
  readonly envelope: MailEnvelope
  /** The address in the From header, empty if there is none. @example 'shop@example.com' */
  readonly from: string
  /** The addresses in the To header. */
  readonly to: readonly string[]
  /** From, Reply-To, To, Cc and Bcc with names. Not enumerable, because it is read only when you ask for it. */
  readonly addresses: MailAddresses
  /** The decoded subject, empty if there is none. */
  readonly subject: string
  /** The message stream of the SMTP token, else of the header, else `outbound`. It may not exist. */
  readonly stream: string
  /** The fields that Postmark would read. @example { tag: 'welcome', metadata: { 'order-id': '1' } } */
  readonly postmark: ParsedPostmarkFields
  /** What Postmark would have done with it. @example { outcome: 'sent', problems: [], notes: [] } */
  readonly verdict: Verdict
  /** Every header field in its order, decoded. */
  readonly headers: readonly MailHeader[]
  /** Whether the email came over TLS. */
  readonly secure: boolean
  /** The host of Postmark that it would have been sent to; undefined if one port replaces both. */
  readonly hostType: StreamType | undefined
  /** The bytes as received. Not enumerable, so that printed emails and diffs stay readable. */
  readonly raw: Buffer
  /** Text, html and attachments. They are parsed at the first call, because this takes far longer than the header. */
  parse(): Promise<MailContent>
  /**
   * The links that open in a browser, without duplicates. Those of the html come first.
   * @example await page.goto(mail.links()[0])
   */
  links(): string[]
  /** The bytes that a recipient (by default, the first) would get, as far as is known. */
  delivered(recipient?: string): Buffer
}

/** An email as it was read, before it is judged. */
export type ReadMail = Pick<
  SandboxMail,
  'envelope' | 'from' | 'to' | 'subject' | 'postmark' | 'headers' | 'raw'
> & {
  /** The header fields as they came, not decoded. */
  readonly fields: readonly MailHeader[]
}

/** Reads the header block of the bytes after DATA. */
export function readMail(raw: Buffer, envelope: MailEnvelope): ReadMail {
  const fields = readRawFields(raw)
  const headers = decodeFields(fields)
  const addressesOf = (name: string) => readAddresses(fields, name).map(({ address }) => address)
  return {
    envelope,
    from: addressesOf('from')[0] ?? '',
    to: addressesOf('to'),
    subject: headerValue(headers, 'subject') ?? '',
    postmark: fromHeaderEntries(headers),
    headers,
    fields,
    raw,
  }
}

type Ids = Pick<SandboxMail, 'id' | 'messageId'>

/** Makes the IDs of a new email. The queue ID comes from a UUID, because Node draws the bytes of many in one go. */
function newIds(): Ids {
  return { id: randomUUID().slice(-10).toUpperCase(), messageId: randomUUID() }
}

/** Makes a {@link SandboxMail} from what was read and judged. A restored mail already has its IDs. */
export function toSandboxMail(
  read: ReadMail,
  judgement: Judgement,
  arrival: Pick<Arrival, 'secure' | 'hostType'>,
  receivedAt: Date,
  ids: Ids = newIds(),
): SandboxMail {
  return new KeptMail(read, judgement, arrival, receivedAt, ids)
}

/** A class, because V8 takes ten times as long to make an object with properties that are not enumerable. */
class KeptMail implements SandboxMail {
  readonly id: string
  readonly messageId: string
  readonly receivedAt: Date
  readonly envelope: MailEnvelope
  readonly from: string
  readonly to: readonly string[]
  readonly subject: string
  readonly postmark: ParsedPostmarkFields
  readonly headers: readonly MailHeader[]
  readonly stream: string
  readonly verdict: Verdict
  readonly secure: boolean
  readonly hostType: StreamType | undefined
  readonly #raw: Buffer
  #content: MailContent | undefined
  #parsed: Promise<MailContent> | undefined
  #addresses: MailAddresses | undefined

  constructor(
    read: ReadMail,
    { stream, verdict }: Judgement,
    { secure, hostType }: Pick<Arrival, 'secure' | 'hostType'>,
    receivedAt: Date,
    { id, messageId }: Ids,
  ) {
    this.id = id
    this.messageId = messageId
    this.receivedAt = receivedAt
    this.envelope = read.envelope
    this.from = read.from
    this.to = read.to
    this.subject = read.subject
    this.postmark = read.postmark
    this.headers = read.headers
    this.stream = stream
    this.verdict = verdict
    this.secure = secure
    this.hostType = hostType
    this.#raw = read.raw
  }

  get raw(): Buffer {
    return this.#raw
  }

  get addresses(): MailAddresses {
    this.#addresses ??= readMailAddresses(readRawFields(this.#raw), this.envelope.to)
    return this.#addresses
  }

  /** What {@link parse} resolves with. */
  content(): MailContent {
    this.#content ??= readContent(readParts(this.#raw))
    return this.#content
  }

  parse(): Promise<MailContent> {
    this.#parsed ??= Promise.resolve().then(() => this.content())
    return this.#parsed
  }

  links(): string[] {
    return [...new Set(listLinks(this.content()).map(({ url }) => url))]
  }

  delivered(recipient: string = this.envelope.to[0] ?? ''): Buffer {
    return toDeliveredCopy(this, recipient)
  }
}

/** The content of an email, for callers that are not asynchronous. */
export function contentOf(mail: SandboxMail): MailContent {
  return mail instanceof KeptMail ? mail.content() : readContent(readParts(mail.raw))
}
