import { randomUUID } from 'node:crypto'
import type { BatchMail } from '../compile/batch-mail.js'
import { BATCH, type Batch, SharedContent } from '../compile/batch-mail.js'
import { foldLevels, toFields } from '../fields/merge-fields.js'
import { type HeaderPair, joinHeaders, listHeaders } from '../message/header-shapes.js'
import { parseAddresses } from '../message/nodemailer.js'
import { contentStreams } from '../message/stream-content.js'
import { optionError } from '../problems/check-options.js'
import { isRecord } from '../problems/describe.js'
import type { PostmarkFields } from '../vocabulary/vocabulary.js'

/** Fields in which mails may differ that share their content: all of these stand in the header block, or in no mail. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  ...[
    'to',
    'cc',
    'bcc',
    'from',
    'sender',
    'replyTo',
    'inReplyTo',
    'references',
    'subject',
    'headers',
    'date',
  ],
  ...['messageId', 'list', 'priority', 'postmark', 'envelope', 'dsn', 'key', 'idempotencyKey'],
])

/** Fields of a mail that are not written into the part that Nodemailer composes. */
const PLAIN_FIELDS: ReadonlySet<string> = new Set(['to', 'key', 'postmark', 'idempotencyKey'])

/** Puts what all mails of a batch share, and what each one has of its own, into one message. */
export class BatchContent {
  readonly #batch: Batch
  readonly #content = new SharedContent()
  readonly #fields: Readonly<Record<string, unknown>>
  readonly #headers: readonly HeaderPair[]
  readonly #postmark: unknown
  readonly #canShare: boolean
  /** The domain of Message-IDs, where all mails have one sender; else Nodemailer makes them. */
  readonly #domain: string | undefined

  /** @throws PostmarkError ERR_POSTMARK_OPTIONS */
  constructor(batch: Batch, message: unknown = {}) {
    if (!isRecord(message)) throw optionError('message', message, 'an object such as { subject, html, text }')
    const { headers, postmark, ...fields } = message
    if (contentStreams(fields).length > 0) {
      const hint = 'Give its content as a text or a Buffer, or give each mail a stream of its own.'
      throw optionError('message', message, 'without a Readable, which can be read only once', hint)
    }
    this.#batch = batch
    this.#fields = fields
    this.#headers = listHeaders(headers)
    this.#postmark = postmark
    this.#domain = fields.messageId || fields.envelope || fields.raw ? undefined : domainOf(fields.from)
    this.#canShare = !fields.raw && !this.#headers.some(isOfContent)
  }

  /** The message of one mail, with what belongs to the batch. */
  toMessage(item: Readonly<Record<string, unknown>>, idempotencyKey: string | undefined): object {
    const own = listHeaders(item.headers)
    let isShared = this.#canShare && !own.some(isOfContent)
    let isPlain = isShared
    const message: Record<string, unknown> = { ...this.#fields }
    for (const field of Object.keys(item)) {
      const value = item[field]
      if (value === undefined || field === 'key') continue
      message[field] = value
      if (!OWN_FIELDS.has(field)) isShared = false
      if (!PLAIN_FIELDS.has(field)) isPlain = false
    }
    // As Nodemailer does it, which reads the addresses anew and asks for random bytes four times.
    if (this.#domain && item.from === undefined && item.envelope === undefined && !message.messageId)
      message.messageId = `<${randomUUID()}@${this.#domain}>`
    message.headers = this.#toHeaders(item.headers, own)
    message.postmark = this.#toPostmark(item.postmark)
    if (idempotencyKey !== undefined) message.idempotencyKey = idempotencyKey
    const mail: BatchMail = { batch: this.#batch, content: isShared ? this.#content : undefined, isPlain }
    return Object.assign(message, { [BATCH]: mail })
  }

  #toHeaders(given: unknown, own: readonly HeaderPair[]): unknown {
    if (this.#headers.length === 0) return given
    const names = new Set(own.map(({ key }) => key.trim().toLowerCase()))
    return joinHeaders(
      given,
      this.#headers.filter(({ key }) => !names.has(key.trim().toLowerCase())),
    )
  }

  #toPostmark(given: unknown): unknown {
    if (given === undefined) return this.#postmark
    // What is no object is left to be refused with its mail.
    if (!isRecord(given) || !isRecord(this.#postmark)) return given
    const levels: PostmarkFields[] = [this.#postmark, given]
    return toFields(foldLevels(levels), true)
  }
}

/** The domain of a sender that is one plain address. */
function domainOf(from: unknown): string | undefined {
  const { address } = isRecord(from) ? from : (typeof from === 'string' && parseAddresses(from)[0]) || {}
  return /^[^@\s]+@([a-z0-9.-]+)$/i.exec(String(address))?.[1]
}

/** Whether a header says how content is written, so that it belongs to the body as well. */
function isOfContent({ key }: HeaderPair): boolean {
  return /^\s*(content-|mime-version\s*:?\s*$)/i.test(key)
}
