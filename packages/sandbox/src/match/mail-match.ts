import { isRegExp } from 'node:util/types'
import { POSTMARK_FIELDS, PostmarkError, type PostmarkField, toAddressKey } from '@postmark-smtp/core'
import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import type { MailAddress } from '../mail/addresses.js'
import type { MailAttachment } from '../mail/mail-content.js'
import { contentOf, type SandboxMail } from '../mail/sandbox-mail.js'

/** A matcher of a test runner, such as `expect.stringContaining()` returns. */
export interface ValueMatcher {
  asymmetricMatch(value: unknown): boolean
}

/** A whole string, a pattern, or a matcher. */
export type TextMatch = string | RegExp | ValueMatcher

/** Keys of metadata; their case is ignored. `null` means that the email must not have the key. */
export type MetadataMatch =
  | { readonly [key: string]: TextMatch | number | boolean | null | undefined }
  | ValueMatcher

/** Fields, as their headers say. `null` means that the email must not have the header. */
export type FieldsMatch = {
  readonly [F in Exclude<PostmarkField, 'metadata'>]?: TextMatch | boolean | null | undefined
} & { readonly metadata?: MetadataMatch | null | undefined }

/** What an attachment must have. A string is short for `{ filename }`. */
export type AttachmentMatch =
  | string
  | {
      readonly filename?: TextMatch
      /** @example 'application/pdf' */
      readonly mimeType?: TextMatch
      /** A string is compared with the bytes as UTF-8. */
      readonly content?: TextMatch | Uint8Array
    }

/** What an email must have. A key that is left out is not compared. */
export interface MailMatch {
  /** The address in the From header; case is ignored. */
  readonly from?: TextMatch
  /** One of the recipients: To, Cc or Bcc; case is ignored. */
  readonly to?: TextMatch
  /** One of the addresses in the Cc header; `null` for none. */
  readonly cc?: TextMatch | null
  /** One of the recipients that neither To nor Cc names; `null` for none. */
  readonly bcc?: TextMatch | null
  /** One of the addresses in the Reply-To header; `null` for none. */
  readonly replyTo?: TextMatch | null
  readonly subject?: TextMatch
  /** A part of the plain text, or a pattern; `null` for none. */
  readonly text?: TextMatch | null
  /** A part of the HTML, decoded, or a pattern; `null` for none. */
  readonly html?: TextMatch | null
  /**
   * Files that came with it: each entry must match one. An empty list means no files.
   * @example ['invoice.pdf'] @example [{ filename: /\.pdf$/, mimeType: 'application/pdf' }]
   */
  readonly attachments?: readonly AttachmentMatch[]
  /** The message stream that the header or the SMTP token names, or `outbound` if neither does. */
  readonly stream?: TextMatch
  /** Short for `postmark: { tag }`. */
  readonly tag?: TextMatch | null
  /** Short for `postmark: { metadata }`. */
  readonly metadata?: MetadataMatch | null
  readonly postmark?: FieldsMatch
}

/** One demand of a match, and what the email has instead. */
export interface Demand {
  /** @example ['metadata', 'order-id'] */
  readonly path: readonly string[]
  readonly wanted: unknown
  readonly found: unknown
  readonly met: boolean
}

type Test = (mail: SandboxMail) => boolean

const KEYS = [
  ...['from', 'to', 'cc', 'bcc', 'replyTo', 'subject', 'text', 'html', 'attachments'],
  ...['stream', 'tag', 'metadata', 'postmark'],
]
const ATTACHMENT_KEYS = ['filename', 'mimeType', 'content']

/**
 * Makes a predicate from a match; a function is used as it is.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS for an unknown key, which would match any email if it were ignored
 */
export function toPredicate(wanted: MailMatch | Test): Test {
  if (typeof wanted === 'function') return (mail) => refusePromise(wanted(mail))
  refuseNoMatch(wanted)
  refuseUnknown(wanted, KEYS)
  if (wanted.postmark !== undefined) refuseUnknown(wanted.postmark, Object.keys(POSTMARK_FIELDS))
  for (const { metadata } of [wanted, wanted.postmark ?? {}])
    if (metadata !== undefined && metadata !== null && typeof metadata !== 'object')
      throw optionError('metadata', metadata, "an object such as { 'order-id': '42' }")
  checkAttachments(wanted.attachments)
  return (mail) => isMet(toHeaderDemands(wanted, mail)) && isMet(toContentDemands(wanted, mail))
}

function isMet(demands: readonly Demand[]): boolean {
  return demands.every(({ met }) => met)
}

function checkAttachments(attachments: unknown): void {
  if (attachments === undefined) return
  if (!Array.isArray(attachments))
    throw optionError('attachments', attachments, "a list such as ['invoice.pdf']")
  for (const each of attachments) {
    if (typeof each === 'string') continue
    if (typeof each !== 'object' || each === null || isRegExp(each))
      throw optionError('attachments', each, "a file name or an object such as { filename: 'invoice.pdf' }")
    refuseUnknown(each, ATTACHMENT_KEYS)
  }
}

/** A promise is truthy, so a function that returns one would match any email. */
function refusePromise(result: unknown): boolean {
  if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') return Boolean(result)
  throw new PostmarkError(
    'ERR_POSTMARK_OPTIONS',
    'The match function returned a promise, which would match any email.',
    {
      hint: 'Match the content with `text`, `html` or `attachments` instead: { text: /Hello Ann/ }.',
    },
  )
}

/** Refuses what is not an object with keys. A pattern has none, so it would match any email. */
function refuseNoMatch(wanted: unknown): void {
  const given = typeof wanted === 'string' ? JSON.stringify(wanted) : isRegExp(wanted) ? String(wanted) : ''
  const isKeyed = typeof wanted === 'object' && wanted !== null && !Array.isArray(wanted)
  if (isKeyed && given === '' && !isMatcher(wanted)) return
  const key = typeof wanted === 'string' && wanted.includes('@') ? 'to' : 'subject'
  const example = given === '' ? '{ to: "ann@example.com" }' : `{ ${key}: ${given} }`
  throw new PostmarkError(
    'ERR_POSTMARK_OPTIONS',
    `The match is ${given || describe(wanted)}; it must be an object such as ${example}, or a function that takes an email.`,
    { hint: `Use ${example}. Known keys: ${KEYS.join(', ')}.` },
  )
}

function describe(wanted: unknown): string {
  if (isMatcher(wanted)) return 'a matcher'
  return Array.isArray(wanted) ? 'an array' : wanted === null ? 'null' : `a ${typeof wanted}`
}

/** Each demand of a match, compared with an email. */
export function toDemands(wanted: MailMatch, mail: SandboxMail): Demand[] {
  return [...toHeaderDemands(wanted, mail), ...toContentDemands(wanted, mail)]
}

/** Compared after the others, because the content of an email must be decoded for these. */
function toContentDemands({ text, html, attachments }: MailMatch, mail: SandboxMail): Demand[] {
  if (text === undefined && html === undefined && attachments === undefined) return []
  const content = contentOf(mail)
  return [
    toDemand(['text'], text, content.text, holds(text, content.text)),
    toDemand(['html'], html, content.html, holds(html, content.html)),
    ...toAttachmentDemands(attachments, content.attachments),
  ].filter(({ wanted }) => wanted !== undefined)
}

/** A string must be a part of the body, because nobody writes out a whole email. */
function holds(wanted: TextMatch | null | undefined, found: string | undefined): boolean {
  return typeof wanted === 'string' ? (found?.includes(wanted) ?? false) : fits(wanted, found)
}

function toAttachmentDemands(wanted: MailMatch['attachments'], found: readonly MailAttachment[]): Demand[] {
  if (wanted === undefined) return []
  const names = found.map(({ filename }) => filename)
  if (wanted.length === 0) return [toDemand(['attachments'], wanted, names, found.length === 0)]
  const fitsOne = (each: AttachmentMatch) => found.some((file) => isAttachment(each, file))
  const only = found.length === 1 ? found[0] : undefined
  // With one file and one demand, a diff of both says more than a list of names.
  const shown = wanted.map((each) =>
    only !== undefined && typeof each === 'object' ? toFacts(each, only) : undefined,
  )
  const seen = shown.includes(undefined) ? names : shown
  return [toDemand(['attachments'], wanted, seen, wanted.every(fitsOne))]
}

function isAttachment(wanted: AttachmentMatch, file: MailAttachment): boolean {
  if (typeof wanted === 'string') return file.filename === wanted
  const { filename, mimeType, content } = wanted
  return (
    (filename === undefined || fits(filename, file.filename)) &&
    (mimeType === undefined || fits(mimeType, file.mimeType)) &&
    (content === undefined ||
      (content instanceof Uint8Array
        ? file.content.equals(content)
        : fits(content, isMatcher(content) ? file.content : file.content.toString())))
  )
}

/** The properties of a file that a demand names. */
function toFacts(wanted: object, file: MailAttachment): object {
  const facts = { ...file, content: file.content.toString('utf8', 0, 200) }
  return Object.fromEntries(Object.entries(facts).filter(([key]) => key in wanted))
}

function toHeaderDemands(wanted: MailMatch, mail: SandboxMail): Demand[] {
  const { from, to, cc, bcc, replyTo, subject, stream, tag, metadata, postmark = {} } = wanted
  const { metadata: fieldMetadata, ...fields } = postmark
  const { metadata: found, ...foundFields } = mail.postmark
  return [
    toDemand(['from'], from, mail.from, isAddress(from, [mail.from])),
    toDemand(['to'], to, unwrap(mail.envelope.to), isAddress(to, mail.envelope.to)),
    ...toAddressDemands({ cc, bcc, replyTo }, mail),
    toDemand(['subject'], subject, mail.subject),
    toDemand(['stream'], stream, mail.stream),
    toDemand(['tag'], tag, foundFields.tag),
    ...toMetadataDemands(['metadata'], metadata, found),
    ...Object.entries(fields).map(([name, value]) =>
      toDemand(['postmark', name], value, foundFields[name as keyof typeof foundFields]),
    ),
    ...toMetadataDemands(['postmark', 'metadata'], fieldMetadata, found),
  ].filter(({ wanted }) => wanted !== undefined)
}

function toDemand(
  path: string[],
  wanted: unknown,
  found: unknown,
  met: boolean = fits(wanted, found),
): Demand {
  return { path, wanted, found, met }
}

function toMetadataDemands(
  path: string[],
  wanted: MailMatch['metadata'],
  found: object | null = {},
): Demand[] {
  if (typeof wanted !== 'object' || wanted === null || isMatcher(wanted)) {
    return [toDemand(path, wanted, wanted === null && isEmpty(found) ? undefined : found)]
  }
  // It is not known whether Postmark keeps the case of a metadata key, so it is ignored.
  const values = new Map(Object.entries(found ?? {}).map(([key, value]) => [key.toLowerCase(), value]))
  return Object.entries(wanted).map(([key, value]) =>
    toDemand([...path, key], value, values.get(key.toLowerCase())),
  )
}

function fits(wanted: unknown, found: unknown): boolean {
  if (wanted === null) return found === undefined || found === null
  if (isMatcher(wanted)) return wanted.asymmetricMatch(found)
  if (found === undefined || found === null) return false
  return isRegExp(wanted) ? String(found).search(wanted) >= 0 : String(found) === String(wanted)
}

function isAddress(wanted: TextMatch | undefined, found: readonly string[]): boolean {
  if (typeof wanted !== 'string') return found.some((address) => fits(wanted, address))
  return found.some((address) => toAddressKey(address) === toAddressKey(wanted))
}

function toAddressDemands(
  wanted: { readonly [F in 'cc' | 'bcc' | 'replyTo']: TextMatch | null | undefined },
  mail: SandboxMail,
): Demand[] {
  return Object.entries(wanted).flatMap(([field, value]) => {
    if (value === undefined) return []
    const list: readonly MailAddress[] = mail.addresses[field as keyof typeof wanted]
    const found = list.map(({ address }) => address)
    const met = value === null ? found.length === 0 : isAddress(value, found)
    return [toDemand([field], value, found.length === 0 ? undefined : unwrap(found), met)]
  })
}

function isMatcher(value: unknown): value is ValueMatcher {
  return typeof (value as ValueMatcher | null)?.asymmetricMatch === 'function'
}

function isEmpty(value: object | null): boolean {
  return Object.keys(value ?? {}).length === 0
}

function unwrap(addresses: readonly string[]): string | readonly string[] {
  return addresses.length === 1 ? addresses[0]! : addresses
}
