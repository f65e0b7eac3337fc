import type { Readable } from 'node:stream'
import type { HeaderEntry } from '../fields/header-entries.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { toHeaderLines } from './header-lines.js'
import type { GivenHeader } from './header-shapes.js'
import { isPostmarkHeader } from './header-shapes.js'
import type { HeaderReading } from './message-headers.js'
import { readHeaders } from './message-headers.js'
import type { CompilingMail } from './nodemailer-types.js'
import { openRaw, type RawLimit, type RawSource } from './raw-source.js'
import { HEAD_BYTES } from './raw-stream.js'

/** A message given as `raw`. Nodemailer adds no headers to it, so we do. */
export interface RawMessage {
  readonly source: RawSource
  /** The names of its Postmark headers, in lower case. */
  readonly names: ReadonlySet<string>
  readonly headers: HeaderReading
  readonly problems: readonly PostmarkProblem[]
}

/** Reads `raw` of any shape as far as its header block. */
export async function readRaw(mail: CompilingMail, limit: RawLimit): Promise<RawMessage> {
  const source = await openRaw(mail, limit)
  // Content in memory is checked directly.
  if (!source.open) mail.data.raw = source.head
  return parseRaw(source)
}

function parseRaw(source: RawSource): RawMessage {
  const lines = headerLines(source.head)
  const problems: PostmarkProblem[] = []
  if (!lines) {
    problems.push({
      path: 'raw',
      found: `has more than ${HEAD_BYTES} bytes before the empty line that ends the headers`,
      limit: `at most ${HEAD_BYTES} bytes of headers`,
      cure: 'Pass a complete message that starts with its headers.',
      severity: 'error',
      errorCode: 300,
    })
    return { source, names: new Set(), headers: readHeaders([], 'raw'), problems }
  }
  const first = lines[0] ?? ''
  // A line put in front of it would be continued by its first line, or would end the headers.
  if (first !== '' && !/^[!-9;-~]+[ \t]*:/.test(first)) {
    const found = /^[ \t]/.test(first)
      ? 'starts with white space'
      : first.startsWith('From ')
        ? 'starts with an mbox line'
        : 'does not start with a header line'
    problems.push({
      path: 'raw',
      found,
      limit: 'a message that starts with a header (RFC 5322)',
      cure: 'Remove everything before the first header.',
      severity: 'error',
      errorCode: 300,
    })
  }
  const given: GivenHeader[] = []
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).trim()
    if (colon < 0) continue
    if (isPostmarkHeader(name)) given.push({ name, value: line.slice(colon + 1).trim() })
    else if (/^bcc$/i.test(name)) {
      problems.push({
        path: 'raw',
        found: 'has a Bcc line',
        limit: 'no Bcc in a raw message',
        cure: 'It is sent unchanged, so recipients may see it. Put them in `envelope` instead.',
        severity: 'warning',
      })
    }
  }
  const names = new Set(given.map(({ name }) => name.toLowerCase()))
  return { source, names, headers: readHeaders(given, 'raw'), problems }
}

/**
 * The header lines of a message, unfolded, as latin1, so that each byte stays one character. Undefined if the end is
 * missing.
 */
function headerLines(bytes: Buffer): string[] | undefined {
  const head = bytes.subarray(0, HEAD_BYTES)
  const ends = ['\n\r\n', '\n\n', '\r\r'].map((end) => head.indexOf(end)).filter((index) => index >= 0)
  if (ends.length === 0 && bytes.length > HEAD_BYTES) return undefined
  const block = head.toString('latin1', 0, ends.length > 0 ? Math.min(...ends) : undefined)
  const [first = '', ...rest] = block.split(/\r\n|\n|\r/)
  const lines = [first]
  for (const line of rest) {
    if (/^[ \t]/.test(line)) lines[lines.length - 1] += line
    else lines.push(line)
  }
  return lines
}

/**
 * Prepends the lines that the message does not have yet.
 * @returns a function that reads it again for each attempt, if it is a large file; otherwise it is in the data
 */
export function prependToRaw(
  mail: CompilingMail,
  { names, source }: RawMessage,
  entries: readonly HeaderEntry[],
): (() => Readable) | undefined {
  const { head, open, again } = source
  const lines = toHeaderLines(entries.filter(({ key }) => !names.has(key.toLowerCase())))
  const front = Buffer.from(lines.map((line) => `${line}\r\n`).join(''))
  if (open && again) return () => open(front)
  mail.data.raw = open ? open(front) : Buffer.concat([front, head])
  return undefined
}
