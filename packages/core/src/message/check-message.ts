import { describeKind, readEntries } from '../fields/read-entries.js'
import { readFields } from '../fields/read-fields.js'
import { isRecord } from '../problems/describe.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { INVALID_REQUEST } from '../problems/problem.js'
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
 * Checks a Nodemailer message against every limit of Postmark, and finds all problems at once. Readables, files and
 * URLs are not read: their size is not known, their names are checked. Defaults of a transporter are not known here.
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
 * The limits of the message itself, without its Postmark fields.
 * @param head how a message given as `raw` begins, where the whole is not in memory
 */
export function checkLimits(message: object, head?: Buffer): PostmarkProblem[] {
  const mail = message as Readonly<Record<string, unknown>>
  const whole = rawContent(mail.raw)
  const raw = whole ?? (mail.raw ? head : undefined)
  return [
    ...(mail.raw && !raw ? [] : checkAddresses(mail, raw && readRawHeaders(raw))),
    ...checkSubject(mail.subject),
    ...(mail.raw && !whole
      ? checkNames(listParts(mail, head ?? Buffer.alloc(0)))
      : checkParts(listParts(mail, whole))),
    ...listAdvice(mail),
  ]
}

function checkSubject(subject: unknown): PostmarkProblem[] {
  const { subjectLength } = MESSAGE_LIMITS
  if (typeof subject !== 'string' || subject.length <= subjectLength) return []
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

/** What does nothing, or harm, without being refused. */
function listAdvice(mail: Readonly<Record<string, unknown>>): PostmarkProblem[] {
  const advice: PostmarkProblem[] = []
  const advise = (path: string, found: string, limit: string, cure: string) =>
    advice.push({ path, found, limit, cure, severity: 'warning' })
  for (const field of FIELDS) {
    if (mail[field] === undefined) continue
    advise(
      field,
      'is outside of `postmark`, where it does nothing',
      `postmark.${field}`,
      `Write postmark: { ${field} }.`,
    )
  }
  if (isLostToNodemailer(mail.headers)) {
    advise(
      'headers',
      `is ${describeKind(mail.headers)}, of which Nodemailer sends nothing`,
      'an object, or a list of { key, value }',
      'Write Object.fromEntries(headers).',
    )
  }
  if (mail.dkim) {
    advise(
      'dkim',
      'signs on the client',
      'no signature but Postmark\u2019s own',
      'Leave it out: Postmark re-encodes the body, which breaks the signature.',
    )
  }
  return advice
}

/** Whether headers have entries, as a Map or Headers do, and none that Nodemailer sees. */
function isLostToNodemailer(headers: unknown): headers is object {
  if (!isRecord(headers) || Object.keys(headers).length > 0) return false
  const [first] = readEntries(headers) ?? []
  return first !== undefined
}
