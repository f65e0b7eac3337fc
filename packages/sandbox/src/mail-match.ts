import { type ParsedPostmarkFields, PostmarkError, type PostmarkFields } from '@postmark-smtp/core'
import type { SandboxMail } from './sandbox-mail.js'

/** What a mail must have; a key that is left out is not looked at. */
export interface MailMatch {
  /** The address in the From header. */
  readonly from?: string
  /** One of the recipients: To, Cc or Bcc. */
  readonly to?: string
  /** The whole subject, or a pattern. */
  readonly subject?: string | RegExp
  /** Fields, and keys of metadata, with these values; `null` means that the mail must not have it. */
  readonly postmark?: PostmarkFields
}

type Test = (mail: SandboxMail) => boolean

/**
 * The predicate of a match, or the predicate itself.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS for a key that is none: passed over, it would match any mail
 */
export function toPredicate(wanted: MailMatch | Test): Test {
  if (typeof wanted === 'function') return wanted
  const { from, to, subject, postmark, ...unknown } = wanted
  for (const key of Object.keys(unknown)) {
    throw new PostmarkError('ERR_POSTMARK_OPTIONS', `waitFor() does not know "${key}".`, {
      hint: 'Use from, to, subject or postmark: { tag, metadata, … }, or a function.',
    })
  }
  return (mail) =>
    (from === undefined || sameText(from, mail.from)) &&
    (to === undefined || mail.envelope.to.some((address) => sameText(to, address))) &&
    (subject === undefined || hasSubject(subject, mail.subject)) &&
    (postmark === undefined || hasFields(postmark, mail.postmark))
}

function hasSubject(wanted: string | RegExp, subject: string): boolean {
  return typeof wanted === 'string' ? wanted === subject : subject.search(wanted) >= 0
}

function hasFields(wanted: PostmarkFields, found: ParsedPostmarkFields): boolean {
  const { metadata, ...fields } = wanted
  if (metadata === null && found.metadata) return false
  return contains(fields, found) && contains(metadata ?? {}, found.metadata ?? {})
}

function contains(wanted: object, found: object): boolean {
  // The case of a metadata key is not known to survive at Postmark, so it does not count.
  const values = new Map(Object.entries(found).map(([key, value]) => [key.toLowerCase(), value]))
  return Object.entries(wanted).every(([key, value]) => {
    if (value === undefined) return true
    const actual = values.get(key.toLowerCase())
    return value === null ? actual === undefined : String(value) === String(actual)
  })
}

function sameText(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
