import { headerValue, type MailHeader, readRawFields, splitEntity } from './header-block.js'
import { parameter } from './header-parameter.js'

/** A part of a message that has no parts of its own. */
export interface MimePart {
  /** In lower case. @example 'text/html' */
  readonly type: string
  /** The headers that begin with `Content-`, not decoded. */
  readonly headers: readonly MailHeader[]
  /** Undefined if the part is not a file. */
  readonly filename: string | undefined
  /** Undoes the transfer encoding. */
  decode(): Buffer
}

// Deeper or wider than any email that people send, and far below what would take time.
const MAX_DEPTH = 20
export const MAX_PARTS = 1000

/**
 * Finds the parts of a message by its boundaries only. This takes a few microseconds; a whole parse takes milliseconds.
 * If a message has too many parts, returns the first ones.
 * @param fields those of the message, if they were read already
 */
export function readParts(raw: Buffer, fields?: readonly MailHeader[]): MimePart[] {
  const parts: MimePart[] = []
  walk(raw, 0, parts, fields)
  return parts
}

function walk(
  entity: Buffer,
  depth: number,
  parts: MimePart[],
  fields: readonly MailHeader[] = readRawFields(entity),
): void {
  // A part with ten thousand other fields would hold them all in memory.
  const headers = fields.filter(({ key }) => /^content-/i.test(key))
  const contentType = headerValue(headers, 'content-type') ?? 'text/plain'
  const type = contentType.split(';', 1)[0]!.trim().toLowerCase()
  const boundary = type.startsWith('multipart/') ? parameter(contentType, 'boundary') : undefined
  if (boundary && depth < MAX_DEPTH) {
    for (const part of split(entity, boundary)) {
      if (parts.length >= MAX_PARTS) return
      walk(part, depth + 1, parts)
    }
    return
  }
  const disposition = headerValue(headers, 'content-disposition') ?? ''
  const encoding = (headerValue(headers, 'content-transfer-encoding') ?? '').trim().toLowerCase()
  const filename = parameter(disposition, 'filename') ?? parameter(contentType, 'name')
  parts.push({ type, headers, filename, decode: () => decode(splitEntity(entity).body, encoding) })
}

/** Returns what is between the boundary lines (RFC 2046 §5.1.1). */
function* split(entity: Buffer, boundary: string): Generator<Buffer> {
  const line = Buffer.from(`--${boundary}`)
  let start = -1
  for (let at = entity.indexOf(line); at >= 0; at = entity.indexOf(line, at + line.length)) {
    if (at > 0 && entity[at - 1] !== 0x0a) continue
    // The line break before it belongs to the boundary.
    if (start >= 0) yield entity.subarray(start, at - (entity[at - 2] === 0x0d ? 2 : 1))
    const end = at + line.length
    if (entity[end] === 0x2d && entity[end + 1] === 0x2d) return
    const next = entity.indexOf(0x0a, end)
    if (next < 0) return
    start = next + 1
  }
  if (start >= 0) yield entity.subarray(start)
}

function decode(body: Buffer, encoding: string): Buffer {
  if (encoding === 'base64') return Buffer.from(body.toString('latin1'), 'base64')
  return encoding === 'quoted-printable' ? decodeQuotedPrintable(body) : body
}

/** Decodes without a regular expression, which would take seconds for the largest emails. */
function decodeQuotedPrintable(body: Buffer): Buffer {
  const decoded = Buffer.allocUnsafe(body.length)
  let length = 0
  for (let at = 0; at < body.length; at++) {
    const byte = body[at]!
    const high = byte === 0x3d ? hexDigit(body[at + 1]) : -1
    const low = high < 0 ? -1 : hexDigit(body[at + 2])
    if (low >= 0) {
      decoded[length++] = high * 16 + low
      at += 2
    } else if (byte === 0x3d && body[at + 1] === 0x0d && body[at + 2] === 0x0a) at += 2
    else if (byte === 0x3d && body[at + 1] === 0x0a) at += 1
    else decoded[length++] = byte
  }
  return decoded.subarray(0, length)
}

function hexDigit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const upper = byte & ~0x20
  return upper >= 0x41 && upper <= 0x46 ? upper - 0x37 : -1
}
