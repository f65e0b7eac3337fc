import { isRegExp } from 'node:util/types'
import { POSTMARK_FIELDS, PostmarkError, type PostmarkField, toAddressKey } from '@postmark-smtp/core'
import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import type { SandboxMail } from '../mail/sandbox-mail.js'

/** What a test runner's `expect.stringContaining()` and its like return. */
export interface ValueMatcher {
  asymmetricMatch(value: unknown): boolean
}

/** A whole text, a pattern, or a matcher. */
export type TextMatch = string | RegExp | ValueMatcher

/** Keys of metadata; their case does not count. `null` means that the mail must not have the key. */
export type MetadataMatch =
  | { readonly [key: string]: TextMatch | number | boolean | null | undefined }
  | ValueMatcher

/** Fields as their headers say; `null` means that the mail must not have the header. */
export type FieldsMatch = {
  readonly [F in Exclude<PostmarkField, 'metadata'>]?: TextMatch | boolean | null | undefined
} & { readonly metadata?: MetadataMatch | null | undefined }

/** What a mail must have; a key that is left out is not looked at. */
export interface MailMatch {
  /** The address in the From header; case does not count. */
  readonly from?: TextMatch
  /** One of the recipients: To, Cc or Bcc; case does not count. */
  readonly to?: TextMatch
  readonly subject?: TextMatch
  /** The message stream that it names, by header or SMTP token: `outbound` where it names none. */
  readonly stream?: TextMatch
  /** Short for `postmark: { tag }`. */
  readonly tag?: TextMatch | null
  /** Short for `postmark: { metadata }`. */
  readonly metadata?: MetadataMatch | null
  readonly postmark?: FieldsMatch
}

/** One demand of a match, and what the mail has. */
export interface Demand {
  /** @example ['metadata', 'order-id'] */
  readonly path: readonly string[]
  readonly wanted: unknown
  readonly found: unknown
  readonly met: boolean
}

type Test = (mail: SandboxMail) => boolean

const KEYS = ['from', 'to', 'subject', 'stream', 'tag', 'metadata', 'postmark']

/**
 * The predicate of a match, or the predicate itself.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS for a key that is none: passed over, it would match any mail
 */
export function toPredicate(wanted: MailMatch | Test): Test {
  if (typeof wanted === 'function') return wanted
  refuseNoMatch(wanted)
  refuseUnknown(wanted, KEYS)
  if (wanted.postmark !== undefined) refuseUnknown(wanted.postmark, Object.keys(POSTMARK_FIELDS))
  for (const { metadata } of [wanted, wanted.postmark ?? {}])
    if (metadata !== undefined && metadata !== null && typeof metadata !== 'object')
      throw optionError('metadata', metadata, "an object: { 'order-id': '42' }")
  return (mail) => toDemands(wanted, mail).every(({ met }) => met)
}

/** Refuses what is no object of keys; a pattern has none, so it would match any mail. */
function refuseNoMatch(wanted: unknown): void {
  const given = typeof wanted === 'string' ? JSON.stringify(wanted) : isRegExp(wanted) ? String(wanted) : ''
  const isKeyed = typeof wanted === 'object' && wanted !== null && !Array.isArray(wanted)
  if (isKeyed && given === '' && !isMatcher(wanted)) return
  const key = typeof wanted === 'string' && wanted.includes('@') ? 'to' : 'subject'
  const example = given === '' ? '{ to: "ann@example.com" }' : `{ ${key}: ${given} }`
  throw new PostmarkError(
    'ERR_POSTMARK_OPTIONS',
    `The match is ${given || describe(wanted)}; it must be an object such as ${example}, or a function of a mail.`,
    { hint: `Give ${example}. Known keys: ${KEYS.join(', ')}.` },
  )
}

function describe(wanted: unknown): string {
  if (isMatcher(wanted)) return 'a matcher'
  return Array.isArray(wanted) ? 'an array' : wanted === null ? 'null' : `a ${typeof wanted}`
}

/** Each demand of a match, held against a mail. */
export function toDemands(wanted: MailMatch, mail: SandboxMail): Demand[] {
  const { from, to, subject, stream, tag, metadata, postmark = {} } = wanted
  const { metadata: fieldMetadata, ...fields } = postmark
  const { metadata: found, ...foundFields } = mail.postmark
  return [
    toDemand(['from'], from, mail.from, isAddress(from, [mail.from])),
    toDemand(['to'], to, unwrap(mail.envelope.to), isAddress(to, mail.envelope.to)),
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
  // The case of a metadata key is not known to survive at Postmark, so it does not count.
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

function isMatcher(value: unknown): value is ValueMatcher {
  return typeof (value as ValueMatcher | null)?.asymmetricMatch === 'function'
}

function isEmpty(value: object | null): boolean {
  return Object.keys(value ?? {}).length === 0
}

function unwrap(addresses: readonly string[]): string | readonly string[] {
  return addresses.length === 1 ? addresses[0]! : addresses
}
