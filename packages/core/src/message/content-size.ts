import { isRecord } from '../problems/describe.js'

/**
 * The size in bytes of a string, a buffer, or a descriptor that contains one, in Nodemailer's order: `raw`, `path`,
 * `href`, `content`. Undefined for a Readable, a file or a URL, which must be read first.
 */
export function contentBytes(value: unknown): number | undefined {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (value instanceof Uint8Array) return value.byteLength
  if (!isRecord(value)) return undefined
  const { content, encoding, path, href, raw } = value
  if (raw) return contentBytes(raw)
  const place = path || href
  if (place) return typeof place === 'string' ? dataUrlBytes(place) : undefined
  if (typeof content !== 'string') return content instanceof Uint8Array ? content.byteLength : undefined
  const name = typeof encoding === 'string' ? encoding.toLowerCase().replace(/[-_\s]/g, '') : ''
  // The line breaks of base64 do not count.
  return name.startsWith('base64')
    ? Buffer.byteLength(content.replace(/\s+/g, ''), 'base64')
    : Buffer.byteLength(content, Buffer.isEncoding(name) ? name : 'utf8')
}

function dataUrlBytes(url: string): number | undefined {
  if (!/^data:/i.test(url)) return undefined
  const comma = url.indexOf(',')
  const data = url.slice(comma + 1)
  if (/;base64$/i.test(url.slice(0, comma))) return Buffer.byteLength(data, 'base64')
  return Buffer.byteLength(data) - 2 * (data.match(/%[0-9a-f]{2}/gi)?.length ?? 0)
}

/** Whether content is only white space, as far as this is known without reading it. */
export function isBlank(value: unknown): boolean {
  if (!value) return true
  if (typeof value === 'string') return !/\S/.test(value)
  if (value instanceof Uint8Array)
    return value.length < 1000 && !/\S/.test(Buffer.from(value).toString('latin1'))
  if (!isRecord(value) || typeof value.pipe === 'function') return false
  const { content, path, href, raw } = value
  return !raw && !path && !href && (content === undefined || content === '' || isBlank(content))
}

/** The size of this many bytes in base64, without line breaks. */
export function toBase64Bytes(bytes: number): number {
  return Math.ceil(bytes / 3) * 4
}
