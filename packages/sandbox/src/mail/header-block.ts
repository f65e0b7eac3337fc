import { decodeWords } from 'postal-mime'

/** One header field of a mail, its value unfolded and decoded (RFC 2047). */
export interface MailHeader {
  /** The name as the client spelled it. */
  readonly key: string
  readonly value: string
}

/** Reads the header block of a message, and nothing behind it. */
export function readHeaderBlock(raw: Buffer): MailHeader[] {
  const headers: MailHeader[] = []
  // Unfolding removes the line break alone: the white space behind it belongs to the value (RFC 5322, 2.2.3).
  const lines = headerText(raw)
    .replace(/\r?\n(?=[ \t])/g, '')
    .split(/\r?\n/)
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon > 0) {
      headers.push({ key: line.slice(0, colon).trim(), value: decodeWords(line.slice(colon + 1).trim()) })
    }
  }
  return headers
}

/** The value of the first header field of this name, whatever its case. */
export function headerValue(headers: readonly MailHeader[], name: string): string | undefined {
  return headers.find(({ key }) => key.toLowerCase() === name)?.value
}

function headerText(raw: Buffer): string {
  if (raw[0] === 0x0d && raw[1] === 0x0a) return ''
  const end = raw.indexOf('\r\n\r\n')
  return raw.toString('utf8', 0, end < 0 ? raw.length : end)
}
