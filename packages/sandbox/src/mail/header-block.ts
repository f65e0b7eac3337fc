import { decodeText } from './charset.js'
import { decodeWords } from './encoded-words.js'

/** One header field of an email, its value unfolded and decoded (RFC 2047). */
export interface MailHeader {
  /** The name as the client spelled it. */
  readonly key: string
  readonly value: string
}

/** A message or a part of one, cut at the first empty line. Lines may end in LF only, as some clients send them. */
export function splitEntity(entity: Buffer): { header: Buffer; body: Buffer } {
  const at = entity[0] === 0x0a || (entity[0] === 0x0d && entity[1] === 0x0a) ? 0 : findEmptyLine(entity)
  if (at < 0) return { header: entity, body: entity.subarray(entity.length) }
  return { header: entity.subarray(0, at), body: entity.subarray(at + (entity[at] === 0x0a ? 1 : 2)) }
}

function findEmptyLine(entity: Buffer): number {
  const withCr = entity.indexOf(EMPTY_LINE)
  const withoutCr = (withCr < 0 ? entity : entity.subarray(0, withCr + 1)).indexOf(EMPTY_LINE_WITHOUT_CR)
  const before = withoutCr < 0 ? withCr : withoutCr
  return before < 0 ? -1 : before + 1
}

const EMPTY_LINE = Buffer.from('\n\r\n')
const EMPTY_LINE_WITHOUT_CR = Buffer.from('\n\n')

/** More than any email needs. The rest is not read, because a header takes far more memory than its bytes. */
const MAX_HEADER_BYTES = 1_000_000
const MAX_HEADER_FIELDS = 10_000

/** Whether the header block of a message is larger than what is read. */
export function isHeaderTooLarge(raw: Buffer): boolean {
  const { header } = splitEntity(raw)
  if (header.length > MAX_HEADER_BYTES) return true
  // A field has two bytes and a line break at least.
  return header.length > MAX_HEADER_FIELDS * 3 && countLines(header) > MAX_HEADER_FIELDS
}

function countLines(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) count += 1
  return count
}

/** Reads the header block of a message, and nothing after it. */
export function readHeaderBlock(raw: Buffer): MailHeader[] {
  return decodeFields(readRawFields(raw))
}

/** Fields with their encoded words decoded. */
export function decodeFields(fields: readonly MailHeader[]): MailHeader[] {
  return fields.map(({ key, value }) => ({ key, value: decodeWords(value) }))
}

/** Reads fields without decoding them. Addresses and parameters must be split before they are decoded. */
export function readRawFields(raw: Buffer): MailHeader[] {
  const fields: MailHeader[] = []
  // Unfolding removes only the line break. The white space after it belongs to the value (RFC 5322, 2.2.3).
  const lines = splitEntity(raw)
    .header.toString('latin1', 0, MAX_HEADER_BYTES)
    .replace(/\r?\n(?=[ \t])/g, '')
    .split(/\r?\n/, MAX_HEADER_FIELDS)
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon > 0)
      fields.push({ key: toText(line.slice(0, colon).trim()), value: toText(line.slice(colon + 1).trim()) })
  }
  return fields
}

/** The value of the first header field of this name, whatever its case. */
export function headerValue(headers: readonly MailHeader[], name: string): string | undefined {
  return headers.find(({ key }) => key.toLowerCase() === name)?.value
}

/** Decodes bytes that are not ASCII. With SMTPUTF8 they are UTF-8; without it they should not be there. */
function toText(bytes: string): string {
  return /[\x80-\xff]/.test(bytes) ? decodeText(Buffer.from(bytes, 'latin1'))! : bytes
}
