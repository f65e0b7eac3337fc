import { isUtf8 } from 'node:buffer'
import { decode, encodingExists } from 'iconv-lite'

/**
 * Decodes bytes in a charset; undefined if the charset is not known. Without a charset, and in US-ASCII, bytes above 127
 * are read as UTF-8 if they are valid, else as windows-1252: programs that leave the charset out mean one of these.
 */
export function decodeText(bytes: Buffer, label?: string): string | undefined {
  const charset = label?.trim() || 'us-ascii'
  const decoder = decoderOf(charset)
  const encoding = decoder?.encoding ?? charset
  if (encoding === 'utf-8') return UTF_8.decode(bytes)
  // Node 20's own windows-1252, which its decoder of Latin 1 and ASCII is too, is wrong between 0x80 and 0x9f.
  if (encoding === 'windows-1252')
    return isAscii(charset) && isUtf8(bytes) ? UTF_8.decode(bytes) : decode(bytes, encoding)
  if (encodingExists(charset) && !NO_CHARSET.test(charset)) return decode(bytes, charset)
  return decoder?.decode(bytes)
}

/** Whether {@link decodeText} knows a charset. */
export function isCharset(charset: string): boolean {
  return decodeText(Buffer.alloc(0), charset) !== undefined
}

/** The bytes of a text in which some are written as two hexadecimal digits after a mark. @example fromHex('%C3%BC', '%') */
export function fromHex(text: string, mark: '%' | '='): Buffer {
  const bytes = Buffer.from(text).toString('latin1')
  const escaped = mark === '%' ? /%([0-9a-f]{2})/gi : /=([0-9a-f]{2})/gi
  return Buffer.from(
    bytes.replace(escaped, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
}

const UTF_8 = new TextDecoder()
/** Encodings that the library also knows, but that are not charsets of an email. */
const NO_CHARSET = /^(?:base64|binary|hex)$/i

function isAscii(charset: string): boolean {
  return /ascii|x3\.4/i.test(charset)
}

function decoderOf(charset: string): InstanceType<typeof TextDecoder> | undefined {
  try {
    return new TextDecoder(charset)
  } catch {
    return undefined
  }
}
