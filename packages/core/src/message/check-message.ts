import { readFields } from '../fields/read-fields.js'
import { isRecord } from '../problems/describe.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { INVALID_REQUEST } from '../problems/problem.js'
import { MESSAGE_LIMITS } from '../vocabulary/limits.js'
import { POSTMARK_FIELDS } from '../vocabulary/vocabulary.js'
import { checkAttachments, contentBytes, toBase64Bytes } from './check-attachments.js'
import { splitHeaders } from './header-shapes.js'
import { readHeaders } from './message-headers.js'

const FIELDS = Object.keys(POSTMARK_FIELDS)

/** Lists the addresses of a message's To, Cc and Bcc, or of its envelope, each once. */
export type ListRecipients = (message: object) => readonly string[]

/**
 * Checks a Nodemailer message against every limit of Postmark, and finds all problems at once.
 * Streams, files and URLs are not read: their size is not known, their names are checked.
 * @param listRecipients how addresses are read; `listRecipients` of this package reads them as Nodemailer does
 * @example checkMessage({ to: 'a@example.com', postmark: { tag: ['a'] } }, listRecipients)[0].path // 'postmark.tag'
 */
export function checkMessage(message: object, listRecipients: ListRecipients): PostmarkProblem[] {
  const { postmark, headers } = message as { postmark?: unknown; headers?: unknown }
  return [
    ...readFields(postmark, 'postmark').problems,
    ...readHeaders(splitHeaders(headers).postmark, 'headers').problems,
    ...checkLimits(message, listRecipients),
  ]
}

/** The limits of the message itself, without its Postmark fields. */
export function checkLimits(message: object, listRecipients: ListRecipients): PostmarkProblem[] {
  const mail = message as Readonly<Record<string, unknown>>
  const problems: PostmarkProblem[] = []
  const refuse = (path: string, found: string, limit: string, cure: string) =>
    problems.push({ path, found, limit, cure, severity: 'error', errorCode: INVALID_REQUEST })

  if (maybeOverLimit(mail)) {
    const recipients = listRecipients(message)
    const { length } = recipients
    if (length > MESSAGE_LIMITS.recipients) {
      refuse(
        'to',
        `has ${length} recipients with cc and bcc`,
        `at most ${MESSAGE_LIMITS.recipients}`,
        'Send several mails.',
      )
    }
    for (const address of recipients) {
      if (!/^[ -~]*$/.test(address.slice(0, address.lastIndexOf('@')))) {
        refuse(
          'to',
          'has a mailbox name outside ASCII',
          'ASCII before the @',
          'Postmark does not offer SMTPUTF8; ask for another address.',
        )
        break
      }
    }
  }

  const from = lengthOfFrom(mail.from)
  if (from > MESSAGE_LIMITS.fromLength) {
    refuse(
      'from',
      `has ${from} characters`,
      `at most ${MESSAGE_LIMITS.fromLength} characters`,
      'Shorten the name.',
    )
  }
  if (typeof mail.subject === 'string' && mail.subject.length > MESSAGE_LIMITS.subjectLength) {
    const { length } = mail.subject
    refuse(
      'subject',
      `has ${length} characters`,
      `at most ${MESSAGE_LIMITS.subjectLength} characters`,
      'Shorten it.',
    )
  }

  let total = 0
  for (const body of ['text', 'html'] as const) {
    const bytes = contentBytes(mail[body]) ?? 0
    total += bytes
    if (bytes > MESSAGE_LIMITS.bodyBytes) {
      refuse(
        body,
        `has ${bytes} bytes`,
        `at most ${MESSAGE_LIMITS.bodyBytes} bytes`,
        'Shorten it, or link to it.',
      )
    }
  }
  total += contentBytes(mail.raw) ?? 0
  total += toBase64Bytes(contentBytes(mail.icalEvent) ?? 0)
  const attachments = checkAttachments(mail.attachments)
  problems.push(...attachments.problems)
  total += attachments.bytes
  if (total > MESSAGE_LIMITS.messageBytes) {
    refuse(
      'message',
      `has ${total} bytes with its attachments in base64`,
      `at most ${MESSAGE_LIMITS.messageBytes} bytes`,
      'Link to large files.',
    )
  }

  const advise = (path: string, found: string, limit: string, cure: string) =>
    problems.push({ path, found, limit, cure, severity: 'warning' })
  for (const field of FIELDS) {
    if (mail[field] === undefined) continue
    advise(field, 'stands beside `postmark`', 'it does nothing there', `Write postmark: { ${field} }.`)
  }
  if (isRecord(mail.envelope) && mail.envelope.from) {
    advise(
      'envelope.from',
      'chooses a Return-Path',
      'the Return-Path is Postmark\u2019s',
      'It has no effect at the recipient.',
    )
  }
  if (mail.dkim) {
    advise(
      'dkim',
      'signs on the client',
      'Postmark signs itself',
      'Leave it out: Postmark re-encodes the body, which breaks the signature.',
    )
  }
  return problems
}

/**
 * Whether a message may have too many recipients or a mailbox name outside ASCII. Reading addresses is a
 * large part of what preflight costs, so a mail that is clearly within the limits is spared it.
 */
function maybeOverLimit(mail: Readonly<Record<string, unknown>>): boolean {
  let most = 0
  const doubtful = (value: unknown, depth = 0): boolean => {
    if (value === undefined || value === null || value === '') return false
    if (typeof value === 'string') {
      if (!/^[ -~]*$/.test(value)) return true
      for (let at = 0; at < value.length; at++) {
        const unit = value.charCodeAt(at)
        if (unit === 44 || unit === 59 || unit === 58) most++
      }
      most++
      return most > MESSAGE_LIMITS.recipients
    }
    if (Array.isArray(value))
      // An array that holds itself has no end; the full reading stops at what it has seen.
      return (
        value.length > MESSAGE_LIMITS.recipients ||
        depth > 20 ||
        value.some((each) => doubtful(each, depth + 1))
      )
    if (isRecord(value) && typeof value.address === 'string') return doubtful(value.address)
    return true
  }
  return (
    doubtful(mail.envelope) ||
    doubtful(mail.to) ||
    doubtful(mail.cc) ||
    doubtful(mail.bcc) ||
    hasAddressHeader(mail.headers)
  )
}

/** Nodemailer takes recipients from `headers` too. */
function hasAddressHeader(headers: unknown): boolean {
  if (isRecord(headers) && typeof headers.key === 'string' && 'value' in headers)
    return hasAddressHeader([headers])
  if (!isRecord(headers))
    return (
      Array.isArray(headers) &&
      headers.some((pair) => isRecord(pair) && hasAddressHeader({ [String(pair.key)]: 1 }))
    )
  return Object.keys(headers).some((key) => /^\s*(to|cc|bcc)\s*$/i.test(key))
}

/** Length of From as Postmark counts it: the address alone, or `"Name" <address>`. */
function lengthOfFrom(from: unknown): number {
  const first = Array.isArray(from) ? from[0] : from
  if (typeof first === 'string') return first.length
  if (!isRecord(first)) return 0
  const { name, address } = first as { name?: unknown; address?: unknown }
  const addressLength = typeof address === 'string' ? address.length : 0
  return typeof name === 'string' && name !== ''
    ? name.length + addressLength + '"" <>'.length
    : addressLength
}
