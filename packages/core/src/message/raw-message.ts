import type { HeaderEntry } from '../fields/header-entries.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { accessError } from './access-error.js'
import { toHeaderLines } from './header-lines.js'
import type { GivenHeader } from './header-shapes.js'
import { isPostmarkHeader } from './header-shapes.js'
import type { HeaderReading } from './message-headers.js'
import { readHeaders } from './message-headers.js'
import type { CompilingMail } from './nodemailer-types.js'
import { isStream, toByteStream } from './stream-content.js'

/** A message given as `raw`, read into memory: Nodemailer adds no header to it, so we do. */
export interface RawMessage {
  readonly bytes: Buffer
  /** Names of the Postmark headers that it has, in lower case. */
  readonly names: ReadonlySet<string>
  readonly headers: HeaderReading
  readonly problems: readonly PostmarkProblem[]
}

/** Resolves `raw` of any shape with Nodemailer's own means, and reads its header block as bytes. */
export function readRaw(mail: CompilingMail, done: (error: Error | null, raw?: RawMessage) => void): void {
  const refused = accessError(mail.data)
  if (refused) {
    done(refused)
    return
  }
  const { raw: given } = mail.data
  if (isStream(given)) mail.data.raw = toByteStream(given)
  mail.resolveContent(mail.data, 'raw', (error, value) => {
    if (error) {
      done(error)
      return
    }
    let raw: RawMessage
    try {
      raw = parseRaw(toBytes(value))
    } catch (thrown) {
      done(thrown as Error)
      return
    }
    mail.data.raw = raw.bytes
    done(null, raw)
  })
}

function toBytes(value: unknown): Buffer {
  if (typeof value === 'string') return Buffer.from(value)
  if (Buffer.isBuffer(value)) return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  throw new TypeError('raw must be text, bytes, a stream, or an object with content, path or href')
}

function parseRaw(bytes: Buffer): RawMessage {
  const lines = headerLines(bytes)
  const problems: PostmarkProblem[] = []
  const first = lines[0] ?? ''
  // A line that goes in front of it would take the first line for its own continuation, or end the headers.
  if (first !== '' && !/^[!-9;-~]+[ \t]*:/.test(first)) {
    const found = /^[ \t]/.test(first)
      ? 'begins with white space'
      : first.startsWith('From ')
        ? 'begins with an mbox line'
        : 'does not begin with a header line'
    problems.push({
      path: 'raw',
      found,
      limit: 'a message that begins with a header (RFC 5322)',
      cure: 'Remove what stands before the first header.',
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
        cure: 'It is sent as it is, and the recipients may see it. Name them in `envelope` instead.',
        severity: 'warning',
      })
    }
  }
  const names = new Set(given.map(({ name }) => name.toLowerCase()))
  return { bytes, names, headers: readHeaders(given, 'raw'), problems }
}

/** The header lines of a message, unfolded, as latin1 so that each byte stays one character. */
function headerLines(bytes: Buffer): string[] {
  const ends = ['\n\r\n', '\n\n', '\r\r'].map((end) => bytes.indexOf(end)).filter((index) => index >= 0)
  const block = bytes.toString('latin1', 0, ends.length > 0 ? Math.min(...ends) : undefined)
  const [first = '', ...rest] = block.split(/\r\n|\n|\r/)
  const lines = [first]
  for (const line of rest) {
    if (/^[ \t]/.test(line)) lines[lines.length - 1] += line
    else lines.push(line)
  }
  return lines
}

/** Puts the lines in front that the message does not have yet. */
export function prependToRaw(mail: CompilingMail, raw: RawMessage, entries: readonly HeaderEntry[]): void {
  const lines = toHeaderLines(entries.filter(({ key }) => !raw.names.has(key.toLowerCase())))
  if (lines.length > 0) mail.data.raw = Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n`), raw.bytes])
}
