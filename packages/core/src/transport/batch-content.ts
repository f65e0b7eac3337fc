import { randomUUID } from 'node:crypto'
import type { BatchMail } from '../compile/batch-mail.js'
import { BATCH, type Batch, SharedContent } from '../compile/batch-mail.js'
import { foldLevels, toFields } from '../fields/merge-fields.js'
import { type Reading, readFields } from '../fields/read-fields.js'
import { copyValue, isSame } from '../message/copy-value.js'
import { type HeaderPair, joinHeaders, listHeaders } from '../message/header-shapes.js'
import { parseAddresses } from '../message/nodemailer.js'
import { contentStreams } from '../message/stream-content.js'
import { optionError } from '../problems/check-options.js'
import { isRecord } from '../problems/describe.js'
import { NO_PROBLEMS } from '../problems/problem.js'

/**
 * Fields that may differ between emails that share their content: all of them are in the header block or not in the email
 * at all.
 */
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
/** Fields that are not part of what Nodemailer composes. */
const PLAIN_FIELDS: ReadonlySet<string> = new Set(['to', 'key', 'postmark', 'idempotencyKey'])

type Fields = Readonly<Record<string, unknown>>

/** What all emails share, at one point in time. */
interface Shared {
  /** Everything except its Postmark fields: a copy, which is not modified while emails with it are in progress. */
  readonly message: Fields
  readonly fields: Fields
  readonly headers: readonly HeaderPair[]
  /** Whether the content can be composed once. */
  readonly isContent: boolean
  /** The domain of Message-IDs, if all emails have one sender. Otherwise Nodemailer creates them. */
  readonly domain: string | undefined
}

/**
 * Combines what all emails of a batch share with what differs in each into one message. Both are read at that moment: a
 * source may modify the same object for the next email while this one is still waiting.
 */
export class BatchContent {
  readonly #batch: Batch
  readonly #content = new SharedContent()
  readonly #given: Fields
  #shared: Shared

  /** @throws PostmarkError ERR_POSTMARK_OPTIONS */
  constructor(batch: Batch, message: unknown = {}) {
    if (!isRecord(message)) throw optionError('message', message, 'an object such as { subject, html, text }')
    this.#batch = batch
    this.#given = message
    const { postmark: _postmark, ...given } = message
    this.#shared = takeShared(given)
  }

  /** The message of one email, with what belongs to the batch. */
  toMessage(item: Fields, idempotencyKey: string | undefined): object {
    const { postmark: sharedPostmark, ...given } = this.#given
    if (!isSame(given, this.#shared.message)) this.#shared = takeShared(given)
    const { fields, headers, isContent, domain } = this.#shared
    const { postmark: ownPostmark, ...rest } = item
    const own: Fields = copyValue(rest)
    const ownHeaders = listHeaders(own.headers)
    let isShared = isContent && !ownHeaders.some(isOfContent)
    let isPlain = isShared
    const message: Record<string, unknown> = { ...fields }
    for (const field of Object.keys(own)) {
      const value = own[field]
      if (value === undefined || field === 'key') continue
      message[field] = value
      if (!OWN_FIELDS.has(field)) isShared = false
      if (!PLAIN_FIELDS.has(field)) isPlain = false
    }
    // Same result as Nodemailer, which parses the addresses again and requests random bytes four times.
    if (domain && own.from === undefined && own.envelope === undefined && !message.messageId)
      message.messageId = `<${randomUUID()}@${domain}>`
    message.headers = mergeHeaders(headers, own.headers, ownHeaders)
    const { postmark, problems } = mergePostmark(sharedPostmark, ownPostmark)
    message.postmark = postmark
    if (idempotencyKey !== undefined) message.idempotencyKey = idempotencyKey
    const content = isShared ? this.#content : undefined
    const mail: BatchMail = { batch: this.#batch, content, isPlain, problems }
    return Object.assign(message, { [BATCH]: mail })
  }
}

/** @throws PostmarkError ERR_POSTMARK_OPTIONS */
function takeShared(given: Fields): Shared {
  if (contentStreams(given).length > 0) {
    const hint = 'Pass the content as a string or a Buffer, or give each email its own stream.'
    throw optionError('message', given, 'a message without a Readable, which can be read only once', hint)
  }
  const message: Fields = copyValue(given)
  const { headers: all, ...fields } = message
  const headers = listHeaders(all)
  const isContent = !fields.raw && !headers.some(isOfContent)
  const domain = fields.messageId || fields.envelope || fields.raw ? undefined : domainOf(fields.from)
  return { message, fields, headers, isContent, domain }
}

function mergeHeaders(all: readonly HeaderPair[], given: unknown, own: readonly HeaderPair[]): unknown {
  if (all.length === 0) return given
  const names = new Set(own.map(({ key }) => key.trim().toLowerCase()))
  return joinHeaders(
    given,
    all.filter(({ key }) => !names.has(key.trim().toLowerCase())),
  )
}

/** The Postmark fields of an email: its own, and the shared ones that it does not set. Problems in either are kept. */
function mergePostmark(shared: unknown, own: unknown): Pick<BatchMail, 'problems'> & { postmark: unknown } {
  if (own === undefined || shared === undefined)
    return { postmark: own === undefined ? shared : own, problems: NO_PROBLEMS }
  const readings: Reading[] = [shared, own].map((level) => readFields(level, 'postmark'))
  const postmark = toFields(foldLevels(readings.map(({ fields }) => fields)), true)
  return { postmark, problems: readings.flatMap(({ problems }) => problems) }
}

/** The domain of a sender, if it is one plain address. */
function domainOf(from: unknown): string | undefined {
  const { address } = isRecord(from) ? from : (typeof from === 'string' && parseAddresses(from)[0]) || {}
  return /^[^@\s]+@([a-z0-9.-]+)$/i.exec(String(address))?.[1]
}

/** Whether a header determines how content is written, so that it belongs to the body as well. */
function isOfContent({ key }: HeaderPair): boolean {
  return /^\s*(content-|mime-version\s*:?\s*$)/i.test(key)
}
