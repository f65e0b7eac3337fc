import { describe, isRecord } from '../problems/describe.js'
import type { PostmarkProblem, Report } from '../problems/problem.js'
import { closeMatch, INVALID_REQUEST } from '../problems/problem.js'
import { pathOf } from '../problems/quote.js'
import { toBounceTypeName } from '../vocabulary/bounce-types.js'
import type { ParsedPostmarkFields, PostmarkField } from '../vocabulary/vocabulary.js'
import { POSTMARK_FIELDS } from '../vocabulary/vocabulary.js'
import { describeKind, visitEntries } from './read-entries.js'
import { readMetadata } from './read-metadata.js'
import { readText } from './read-text.js'
import { streamProblem } from './stream-problem.js'

/**
 * Fields that are safe to write on a header line, and every problem with the input. A value that breaks a length limit
 * is kept: {@link fitFields} shortens it. A `messageStream` is kept as written even if it is not a valid ID, because a
 * wrong stream must reject the email and never be dropped.
 */
export interface Reading {
  readonly fields: ParsedPostmarkFields
  readonly problems: readonly PostmarkProblem[]
}

export const NOTHING_READ: Reading = Object.freeze({ fields: Object.freeze({}), problems: Object.freeze([]) })

/** Reads fields of any shape. Never throws: a getter that throws is reported as a problem. */
export function readFields(input: unknown, path: string): Reading {
  if (input === undefined || input === null) return NOTHING_READ
  const problems: PostmarkProblem[] = []
  const report: Report = (problem) =>
    problems.push({ severity: 'error', errorCode: INVALID_REQUEST, ...problem })
  const fields: Record<string, unknown> = {}
  try {
    const visit = (key: string, value: unknown) => {
      if (value === undefined) return
      if (!Object.hasOwn(POSTMARK_FIELDS, key)) reportUnknown(key, path, report)
      else {
        const read = value === null ? null : readField(key as PostmarkField, value, `${path}.${key}`, report)
        if (read !== undefined) fields[key] = read
      }
    }
    if (Array.isArray(input) || !visitEntries(input, visit))
      throw new TypeError(
        isRecord(input) ? `is ${describeKind(input)} without own fields` : `is ${describe(input)}`,
      )
  } catch (error) {
    const found = error instanceof Error ? error.message : 'cannot be read'
    report({
      path,
      found,
      limit: 'an object of Postmark fields',
      cure: 'Use an object such as { tag: "welcome" }.',
    })
  }
  return { fields, problems }
}

function readField(field: PostmarkField, value: unknown, path: string, report: Report): unknown {
  const row = POSTMARK_FIELDS[field]
  switch (row.kind) {
    case 'map':
      return readMetadata(value, path, report)
    case 'boolean':
    case 'flag':
      return readBoolean(value, path, report, row.kind === 'flag')
    case 'choice':
      return readChoice(value, row.values, path, report)
    case 'stream':
      return readStream(value, path, report)
    case 'name':
      if (typeof value === 'string' && /^[A-Za-z_]{1,50}$/.test(value))
        return readBounceType(value, path, report)
      report({
        path,
        found: `is ${describe(value)}`,
        limit: 'the name of a bounce type',
        cure: `Use a name such as "${row.example}".`,
      })
      return undefined
    case 'text':
      if (Array.isArray(value)) {
        report({
          path,
          found: `is an array of length ${value.length}`,
          limit: 'one string',
          cure: 'An email has one tag. Put other labels in metadata.',
        })
        return undefined
      }
      return readText(value, path, row.maxLength, report)
  }
}

/**
 * Converts a name in any case, with or without underscores, to Postmark's name. The set is open, so an unknown name is
 * kept.
 */
function readBounceType(name: string, path: string, report: Report): string {
  const known = toBounceTypeName(name)
  if (known === 'SpamComplaint')
    report({
      path,
      found: 'is a spam complaint',
      limit: 'a bounce that Postmark can simulate',
      cure: 'Postmark can simulate every type except this one. Choose another.',
      severity: 'warning',
    })
  return known ?? name
}

/** For a switch, `false` is a value. For a flag, which is sent as `true` or not at all, it clears. */
function readBoolean(
  value: unknown,
  path: string,
  report: Report,
  flag: boolean,
): boolean | null | undefined {
  const word = typeof value === 'string' ? value.trim().toLowerCase() : value
  if (word === true || word === 'true') return true
  if (word === false || word === 'false') return flag ? null : false
  report({ path, found: `is ${describe(value)}`, limit: 'true or false', cure: 'Use a boolean.' })
  return undefined
}

function readChoice<V extends string>(
  value: unknown,
  values: readonly V[],
  path: string,
  report: Report,
): V | undefined {
  if (typeof value === 'string') {
    const exact = values.find((choice) => choice.toLowerCase() === value.trim().toLowerCase())
    if (exact !== undefined) return exact
  }
  const near = typeof value === 'string' ? closeMatch(value, values) : undefined
  const cure = near ? `Did you mean "${near}"?` : 'Choose one of them.'
  report({ path, found: `is ${describe(value)}`, limit: `one of ${values.join(', ')}`, cure })
  return undefined
}

function readStream(value: unknown, path: string, report: Report): string {
  const id = typeof value === 'string' ? value : `a ${typeof value}`
  const problem = streamProblem(id, path)
  if (problem) report(problem)
  return id
}

function reportUnknown(key: string, path: string, report: Report): void {
  report({
    path: pathOf(path, key),
    found: 'is not a Postmark field',
    limit: `one of ${Object.keys(POSTMARK_FIELDS).join(', ')}`,
    cure: cureUnknown(key, path),
  })
}

/** Belongs on a message. Other email modules also accept it as a default. */
const MESSAGE_KEYS = 'from sender replyTo to cc bcc subject text html headers attachments'.split(' ')

function cureUnknown(key: string, path: string): string {
  if (MESSAGE_KEYS.includes(key)) {
    return path === 'defaults' || path.startsWith('streams')
      ? `Message defaults belong in the option \`message: { ${key} }\` of createPostmarkTransport, or in the second argument of createTransport.`
      : `It belongs on the message itself: sendMail({ ${key} }).`
  }
  if (closeMatch(key, ['idempotencyKey']))
    return 'It belongs on the message itself: sendMail({ idempotencyKey }).'
  // A transport URL calls it `stream`.
  const near = key === 'stream' ? 'messageStream' : closeMatch(key, Object.keys(POSTMARK_FIELDS))
  return near ? `Did you mean "${near}"?` : 'Remove it. Your own values belong in metadata.'
}
