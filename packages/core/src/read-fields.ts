import type { PostmarkProblem } from './problem.js'
import { closeMatch, INVALID_REQUEST, STREAM_CANNOT_SEND, UNKNOWN_STREAM } from './problem.js'
import type { ParsedPostmarkFields, PostmarkField } from './vocabulary.js'
import { POSTMARK_FIELDS } from './vocabulary.js'

/**
 * Fields that are safe to write on a header line, and all that was wrong with what they were read from.
 * A value that breaks a length limit is kept: {@link fitFields} shortens it. A `messageStream` is kept as
 * written even where it is no valid ID, since the wrong stream must reject the mail, never be dropped.
 */
export interface Reading {
  readonly fields: ParsedPostmarkFields
  readonly problems: readonly PostmarkProblem[]
}

type Report = (
  problem: Partial<PostmarkProblem> & Pick<PostmarkProblem, 'path' | 'found' | 'limit' | 'cure'>,
) => void

export const NOTHING_READ: Reading = Object.freeze({ fields: Object.freeze({}), problems: Object.freeze([]) })

/** Reads fields of any shape. Never throws; a getter that throws is a problem too. */
export function readFields(input: unknown, path: string): Reading {
  if (input === undefined || input === null) return NOTHING_READ
  const problems: PostmarkProblem[] = []
  const report: Report = (problem) =>
    problems.push({ severity: 'error', errorCode: INVALID_REQUEST, ...problem })
  const fields: Record<string, unknown> = {}
  try {
    if (!isRecord(input)) throw new TypeError(`is ${describe(input)}`)
    for (const key of Object.keys(input)) {
      const value = input[key]
      if (value === undefined) continue
      if (!Object.hasOwn(POSTMARK_FIELDS, key)) reportUnknown(key, path, report)
      else {
        const read = value === null ? null : readField(key as PostmarkField, value, `${path}.${key}`, report)
        if (read !== undefined) fields[key] = read
      }
    }
  } catch (error) {
    const found = error instanceof Error ? error.message : 'cannot be read'
    report({
      path,
      found,
      limit: 'an object of Postmark fields',
      cure: 'Give an object such as { tag: "welcome" }.',
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
      if (typeof value === 'string' && /^[A-Za-z]{1,50}$/.test(value)) return value
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
          found: `is an array of ${value.length}`,
          limit: 'one text',
          cure: 'A mail has one tag. Put further labels into metadata.',
        })
        return undefined
      }
      return readText(value, path, row.maxLength, report)
  }
}

/** One line of text without control characters: the form that every value has on the wire. */
export function readText(
  value: unknown,
  path: string,
  maxLength: number,
  report: Report,
): string | undefined {
  let text: string
  if (typeof value === 'string') text = value
  else if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)))
    text = String(value)
  else {
    report({
      path,
      found: `is ${describe(value)}`,
      limit: 'text, a finite number or a boolean',
      cure: 'Turn it into text first.',
    })
    return undefined
  }
  if (!/^[ -~]*$/.test(text)) text = readUnprintable(text, path, report)
  text = text.trim()
  if (text === '') {
    report({
      path,
      found: 'is empty',
      limit: 'at least one character',
      cure: 'It is left out: a header without a value is not sent. Use null to clear a value.',
      severity: 'warning',
    })
    return undefined
  }
  if (text.length > maxLength) {
    report({
      path,
      found: `has ${text.length} characters`,
      limit: `at most ${maxLength} characters`,
      cure: 'Shorten it, or let preflight: "fit" do so.',
    })
  }
  return text
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g

function readUnprintable(text: string, path: string, report: Report): string {
  const clean = text.toWellFormed().replace(CONTROLS, ' ')
  if (clean !== text) {
    report({
      path,
      found: 'has a line break or another control character',
      limit: 'one line of text',
      cure: 'Remove it: a header line ends at a line break.',
    })
  }
  if (!/^[ -~]*$/.test(clean)) {
    report({
      path,
      found: 'has characters outside printable ASCII',
      limit: 'printable ASCII is safe',
      cure: 'It is sent encoded (RFC 2047); Postmark does not document whether it decodes that. Use ASCII to be sure.',
      severity: 'warning',
    })
  }
  return clean
}

function readMetadata(value: unknown, path: string, report: Report): ParsedPostmarkFields['metadata'] {
  const row = POSTMARK_FIELDS.metadata
  if (!isRecord(value)) {
    report({
      path,
      found: `is ${describe(value)}`,
      limit: 'an object of keys and values',
      cure: `Give an object such as ${JSON.stringify(row.example)}.`,
    })
    return undefined
  }
  const seen = new Map<string, string>()
  const read: [string, string | null][] = []
  let count = 0
  for (const key of Object.keys(value)) {
    const given = value[key]
    if (given === undefined) continue
    if (!/^[!-9;-~]+$/.test(key)) {
      report({
        path: `${path}[${JSON.stringify(key)}]`,
        found: 'is not a header name',
        limit: 'printable ASCII without spaces or colons',
        cure: 'Rename the key.',
      })
      continue
    }
    const at = `${path}.${key}`
    const twin = seen.get(key.toLowerCase())
    if (twin !== undefined) {
      report({
        path: at,
        found: `differs from "${twin}" by case alone`,
        limit: 'one spelling per key',
        cure: `It is the same key to Postmark. Remove one; "${twin}" is kept.`,
      })
      continue
    }
    seen.set(key.toLowerCase(), key)
    const text = given === null ? null : readText(given, at, row.maxLength, report)
    if (text === undefined) continue
    if (key.length > row.maxKeyLength && text !== null) {
      report({
        path: at,
        found: `has a key of ${key.length} characters`,
        limit: `at most ${row.maxKeyLength} characters`,
        cure: 'Shorten the key.',
      })
    }
    if (text !== null && ++count === row.maxEntries + 1) {
      const total = Object.values(value).filter((entry) => entry !== undefined && entry !== null).length
      report({
        path,
        found: `has ${total} keys`,
        limit: `at most ${row.maxEntries} keys`,
        cure: 'Remove some, or join values in one key.',
      })
    }
    read.push([key, text])
  }
  return Object.fromEntries(read)
}

/** `false` is a value of its own for a switch; for a flag, which is sent as `true` or not at all, it clears. */
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
  report({ path, found: `is ${describe(value)}`, limit: values.join(', '), cure })
  return undefined
}

function readStream(value: unknown, path: string, report: Report): string {
  const id = typeof value === 'string' ? value : `a ${typeof value}`
  const problem = streamProblem(id, path)
  if (problem) report(problem)
  return id
}

/** What is wrong with a stream ID, or undefined. */
export function streamProblem(id: string, path: string): PostmarkProblem | undefined {
  const { maxLength } = POSTMARK_FIELDS.messageStream
  const limit = `a letter, then a-z 0-9 - _, at most ${maxLength} characters, not beginning with pm-`
  if (id === 'inbound') {
    return {
      path,
      found: 'is the inbound stream',
      limit: 'a stream that sends',
      cure: 'Use "outbound", "broadcast" or a stream of your own.',
      severity: 'error',
      errorCode: STREAM_CANNOT_SEND,
    }
  }
  if (/^[a-z][a-z0-9_-]*$/.test(id) && id.length <= maxLength && !id.startsWith('pm-')) return undefined
  const shown = id.length > maxLength ? `has ${id.length} characters` : `is ${describe(id)}`
  return {
    path,
    found: shown,
    limit,
    cure: 'Use the ID of the stream, as its settings page shows it, not its name.',
    severity: 'error',
    errorCode: UNKNOWN_STREAM,
  }
}

function reportUnknown(key: string, path: string, report: Report): void {
  const near = closeMatch(key, Object.keys(POSTMARK_FIELDS))
  const cure = near ? `Did you mean "${near}"?` : 'Remove it. A value of your own belongs into metadata.'
  report({
    path: `${path}.${key}`,
    found: 'is not a Postmark field',
    limit: Object.keys(POSTMARK_FIELDS).join(', '),
    cure,
  })
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A short name of a value for a message: its kind, and the value itself only where it is a short word. */
function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'string')
    return value.length <= 40 ? JSON.stringify(value) : `a text of ${value.length} characters`
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'undefined')
    return String(value)
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
