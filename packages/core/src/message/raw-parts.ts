import { fileNameOf, type HeaderLine, lineValue, parameter, readHeaderLines } from './file-name.js'

/** A part of a raw message that has no further parts. */
export interface RawPart {
  /** In lower case. @example 'text/html' */
  readonly type: string
  /** Its file name. Undefined if it has none. */
  readonly name: string | undefined
  /** Whether it is an attachment or has a file name. */
  readonly isFile: boolean
  /** Its size in bytes after decoding. */
  size(): number
  /** Whether it is only white space. */
  isBlank(): boolean
}

// Deeper or wider than any real email, and far below what would take time.
const MAX_DEPTH = 20
const MAX_PARTS = 1000

/** The header lines of a raw message. */
export function readRawHeaders(raw: Buffer): HeaderLine[] {
  return readHeaderLines(raw.toString('latin1', 0, bodyStart(raw)))
}

/** The parts of a raw message, found by its boundaries. If there are too many, the first ones. */
export function readRawParts(raw: Buffer): RawPart[] {
  const parts: RawPart[] = []
  walk(raw, 0, parts)
  return parts
}

function walk(entity: Buffer, depth: number, parts: RawPart[]): void {
  const lines = readRawHeaders(entity)
  const contentType = lineValue(lines, 'content-type') ?? 'text/plain'
  const type = contentType.split(';', 1)[0]!.trim().toLowerCase()
  const boundary = type.startsWith('multipart/') ? parameter(contentType, 'boundary') : undefined
  if (boundary && depth < MAX_DEPTH) {
    for (const part of split(entity, boundary)) {
      if (parts.length >= MAX_PARTS) return
      walk(part, depth + 1, parts)
    }
    return
  }
  const body = entity.subarray(bodyStart(entity))
  const encoding = (lineValue(lines, 'content-transfer-encoding') ?? '').toLowerCase()
  const name = fileNameOf(lines)
  parts.push({
    type,
    name,
    isFile: name !== undefined || /^\s*attachment/i.test(lineValue(lines, 'content-disposition') ?? ''),
    size: () => decodedLength(body, encoding),
    isBlank: () => body.length < 1000 && body.toString('latin1').trim() === '',
  })
}

/** The start of the body: after the first empty line. */
function bodyStart(entity: Buffer): number {
  if (entity[0] === 0x0a) return 1
  if (entity[0] === 0x0d && entity[1] === 0x0a) return 2
  for (let at = entity.indexOf(0x0a); at >= 0; at = entity.indexOf(0x0a, at + 1)) {
    if (entity[at + 1] === 0x0a) return at + 2
    if (entity[at + 1] === 0x0d && entity[at + 2] === 0x0a) return at + 3
  }
  return entity.length
}

/** The content between the lines of a boundary (RFC 2046 §5.1.1). */
function* split(entity: Buffer, boundary: string): Generator<Buffer> {
  const line = Buffer.from(`--${boundary}`, 'latin1')
  let start = -1
  for (let at = entity.indexOf(line); at >= 0; at = entity.indexOf(line, at + line.length)) {
    const end = at + line.length
    const isWhole = entity[end] === undefined || /[\s-]/.test(String.fromCharCode(entity[end]))
    if ((at > 0 && entity[at - 1] !== 0x0a) || !isWhole) continue
    if (start >= 0) yield entity.subarray(start, Math.max(start, at - (entity[at - 2] === 0x0d ? 2 : 1)))
    if (entity[end] === 0x2d && entity[end + 1] === 0x2d) return
    const next = entity.indexOf(0x0a, end)
    if (next < 0) return
    start = next + 1
  }
  if (start >= 0) yield entity.subarray(start)
}

function decodedLength(body: Buffer, encoding: string): number {
  if (encoding === 'base64') {
    let digits = 0
    for (const byte of body) if (byte > 0x20 && byte !== 0x3d) digits++
    return Math.floor((digits * 3) / 4)
  }
  if (encoding !== 'quoted-printable') return body.length
  let { length } = body
  for (let at = body.indexOf(0x3d); at >= 0; at = body.indexOf(0x3d, at + 1)) {
    if (body[at + 1] === 0x0a) length -= 2
    else if (body[at + 1] === 0x0d && body[at + 2] === 0x0a) length -= 3
    else if (/^[0-9a-f]{2}$/i.test(body.toString('latin1', at + 1, at + 3))) length -= 2
  }
  return length
}
