import { copyValue, isSame } from '../message/copy-value.js'
import { listHeaders } from '../message/header-shapes.js'
import type { SharedBody } from '../message/shared-body.js'
import { type HeadedMessage, SharedHead } from '../message/shared-head.js'
import type { MailRecord } from './mail-record.js'

/** A mail of a batch that Nodemailer has composed, from which others are written that differ in their recipient only. */
export interface QuickMail {
  readonly head: SharedHead
  readonly body: SharedBody
  /** The fields of its message, as sendMail took them. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** Fields in which mails may differ that are written from one another; `headers` and all others must be the same. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['to', 'messageId'])
/** Fields that change who gets a mail, what is done with it on its way, or how it is read. */
const OTHERS = [
  'cc',
  'bcc',
  'envelope',
  'raw',
  'dkim',
  'dsn',
  'signal',
  'normalizeHeaderKey',
  'attachDataUrls',
  'newline',
]

/** Makes a template of a mail that is sealed. @param block as Nodemailer has built it */
export function toQuickMail(
  { fields, batch }: MailRecord,
  body: SharedBody,
  block: string,
  from: unknown,
): QuickMail | undefined {
  if (!fields || !batch?.isPlain || OTHERS.some((field) => fields[field])) return undefined
  const { messageId, date, headers } = fields
  if (typeof messageId !== 'string') return undefined
  const hasOwnDate = Boolean(date) || listHeaders(headers).some(({ key }) => /^\W*date\W*$/i.test(key))
  const head = SharedHead.of(block, from, messageId, hasOwnDate)
  return head && { head, body, fields }
}

/** The message of a mail that differs from the template in its recipient only; undefined where it differs in more. */
export function writeQuickly(
  { head, body, fields }: QuickMail,
  copy: Readonly<Record<string, unknown>>,
): HeadedMessage | undefined {
  if (!body.composed || typeof copy.messageId !== 'string') return undefined
  const names = Object.keys(copy)
  if (names.length !== Object.keys(fields).length) return undefined
  for (const name of names)
    if (!OWN_FIELDS.has(name) && !isCarrier(name) && !isSame(copy[name], fields[name])) return undefined
  return head.write(copy.to, copy.messageId)
}

/** The record of the mail itself. */
function isCarrier(name: string): boolean {
  return name.startsWith('@postmark-smtp/')
}

/** The fields of a message as they are now, but for the record of the mail itself. */
export function noteFields(copy: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(copy).map(([name, value]) => [name, isCarrier(name) ? undefined : copyValue(value)]),
  )
}
