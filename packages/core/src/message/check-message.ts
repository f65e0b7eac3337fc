import { describeKind, readEntries } from '../fields/read-entries.js'
import { readFields } from '../fields/read-fields.js'
import { isRecord } from '../problems/describe.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { INVALID_REQUEST, NO_PROBLEMS } from '../problems/problem.js'
import { MESSAGE_LIMITS } from '../vocabulary/limits.js'
import { POSTMARK_FIELDS } from '../vocabulary/vocabulary.js'
import { checkAddresses } from './check-addresses.js'
import { checkNames, checkParts } from './check-parts.js'
import { splitHeaders } from './header-shapes.js'
import { readHeaders } from './message-headers.js'
import { listParts, rawContent } from './message-parts.js'
import { readRawHeaders } from './raw-parts.js'

const FIELDS = Object.keys(POSTMARK_FIELDS)

/**
 * Checks a Nodemailer message against all of Postmark's limits and returns every problem. Readables, files and URLs are
 * not read: their names are checked, but not their size. The defaults of a transporter are not known here.
 * @example checkMessage({ from: 'a@example.com', to: 'b@example.com', text: 'Hi', postmark: { tag: ['a'] } })[0].path // 'postmark.tag'
 */
export function checkMessage(message: object): PostmarkProblem[] {
  const { postmark, headers } = message as { postmark?: unknown; headers?: unknown }
  return [
    ...readFields(postmark, 'postmark').problems,
    ...readHeaders(splitHeaders(headers).postmark, 'headers').problems,
    ...checkLimits(message),
  ]
}

/**
 * Checks the limits of the message itself, without its Postmark fields.
 * @param head the beginning of a message given as `raw`, if the whole message is not in memory
 */
export function checkLimits(message: object, head?: Buffer): readonly PostmarkProblem[] {
  const mail = message as Readonly<Record<string, unknown>>
  if (!mail.raw) {
    return [
      ...checkAddresses(mail, undefined),
      ...checkSubject(mail.subject),
      ...(isShortText(mail) ? NO_PROBLEMS : checkParts(listParts(mail, undefined))),
      ...listAdvice(mail),
    ]
  }
  const whole = rawContent(mail.raw)
  const raw = whole ?? head
  return [
    ...(raw ? checkAddresses(mail, readRawHeaders(raw)) : NO_PROBLEMS),
    ...checkSubject(mail.subject),
    ...(whole ? checkParts(listParts(mail, whole)) : checkNames(listParts(mail, head ?? Buffer.alloc(0)))),
    ...listAdvice(mail),
  ]
}

/** Properties of a message that contain a part other than its text or HTML. */
const OTHER_PARTS = ['attachments', 'alternatives', 'icalEvent', 'watchHtml', 'amp'] as const
/** The maximum number of bytes of a character. */
const BYTES_OF_CHARACTER = 3

/** Whether a message is text or HTML that is clearly within the limits, so that its parts need not be checked. */
function isShortText(mail: Readonly<Record<string, unknown>>): boolean {
  const { text, html } = mail
  if (OTHER_PARTS.some((field) => mail[field])) return false
  const most = MESSAGE_LIMITS.bodyBytes / BYTES_OF_CHARACTER
  const isShort = (body: unknown) => !body || (typeof body === 'string' && body.length <= most)
  const isWritten = (body: unknown) => typeof body === 'string' && /\S/.test(body)
  return isShort(text) && isShort(html) && (isWritten(text) || isWritten(html))
}

function checkSubject(subject: unknown): readonly PostmarkProblem[] {
  const { subjectLength } = MESSAGE_LIMITS
  if (typeof subject !== 'string' || subject.length <= subjectLength) return NO_PROBLEMS
  return [
    {
      path: 'subject',
      found: `has ${subject.length} characters`,
      limit: `at most ${subjectLength} characters`,
      cure: 'Shorten it.',
      severity: 'error',
      errorCode: INVALID_REQUEST,
    },
  ]
}

const MISSPELT_KEYS = [
  'idempotencykey',
  'idempotency_key',
  'idempotency-key',
  'IdempotencyKey',
  'idempotenceKey',
]

/** Finds what has no effect, or a harmful one, without being refused. */
function listAdvice(mail: Readonly<Record<string, unknown>>): PostmarkProblem[] {
  const advice: PostmarkProblem[] = []
  const advise = (path: string, found: string, limit: string, cure: string) =>
    advice.push({ path, found, limit, cure, severity: 'warning' })
  for (const field of FIELDS) {
    if (mail[field] === undefined) continue
    advise(
      field,
      'is outside `postmark`, where it has no effect',
      `postmark.${field}`,
      `Write postmark: { ${field} }.`,
    )
  }
  const misspelt = MISSPELT_KEYS.find((name) => mail[name] !== undefined)
  if (misspelt)
    advise(
      misspelt,
      'is not read',
      'idempotencyKey',
      'Write idempotencyKey. The email has no protection without it.',
    )
  if (isLostToNodemailer(mail.headers)) {
    advise(
      'headers',
      `is ${describeKind(mail.headers)}, which Nodemailer does not send`,
      'an object, or an array of { key, value }',
      'Use Object.fromEntries(headers).',
    )
  }
  if (mail.dkim) {
    advise(
      'dkim',
      'signs on the client',
      'only Postmark\u2019s own signature',
      'Remove it: Postmark re-encodes the body, which breaks the signature.',
    )
  }
  return advice
}

/** Whether headers have entries, like a Map or Headers, and none that Nodemailer sees. */
function isLostToNodemailer(headers: unknown): headers is object {
  if (!isRecord(headers) || Object.keys(headers).length > 0) return false
  const [first] = readEntries(headers) ?? []
  return first !== undefined
}
