import { copyValue, isSame } from '../message/copy-value.js'
import { listHeaders } from '../message/header-shapes.js'
import type { SharedBody } from '../message/shared-body.js'
import { type HeadedMessage, SharedHead } from '../message/shared-head.js'
import type { MailRecord } from './mail-record.js'

/** A batch mail that Nodemailer has composed, used as a template for others that differ only in their recipient. */
export interface QuickMail {
  readonly head: SharedHead
  readonly body: SharedBody
  /** The fields of its message, as sendMail read them. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** Fields that may differ between emails written from the same template. `headers` and all others must be equal. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['to', 'messageId'])
/** Fields that change who gets an email, how it is processed on its way, or how it is read. */
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

/** Creates a template from a sealed mail. @param block as built by Nodemailer */
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

/** The message of an email that differs from the template only in its recipient. Undefined if more differs. */
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

/** The record of the email itself. */
function isCarrier(name: string): boolean {
  return name.startsWith('@postmark-smtp/')
}

/** The current fields of a message, without the record of the email itself. */
export function noteFields(copy: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(copy).map(([name, value]) => [name, isCarrier(name) ? undefined : copyValue(value)]),
  )
}
