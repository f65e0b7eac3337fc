import { isRecord } from '../problems/describe.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { FORBIDDEN_ATTACHMENT } from '../problems/problem.js'
import { FORBIDDEN_EXTENSIONS } from '../vocabulary/limits.js'

/** Checks names, and adds up the sizes that are known without reading a stream, a file or a URL. */
export function checkAttachments(attachments: unknown): { problems: PostmarkProblem[]; bytes: number } {
  const problems: PostmarkProblem[] = []
  let bytes = 0
  const list: readonly unknown[] = Array.isArray(attachments) ? attachments : attachments ? [attachments] : []
  for (let index = 0; index < list.length; index++) {
    const attachment = list[index]
    const name = isRecord(attachment) ? nameOf(attachment) : ''
    const dot = name.lastIndexOf('.')
    const extension =
      dot < 0
        ? ''
        : name
            .slice(dot + 1)
            .toLowerCase()
            .trim()
    if (FORBIDDEN_EXTENSIONS.has(extension)) {
      problems.push({
        path: `attachments[${index}].filename`,
        found: `ends in .${extension}`,
        limit: 'a file type that Postmark takes',
        cure: 'Put it into an archive, or link to it.',
        severity: 'error',
        errorCode: FORBIDDEN_ATTACHMENT,
      })
    }
    bytes += toBase64Bytes(contentBytes(attachment) ?? 0)
  }
  return { problems, bytes }
}

/** The file name that Nodemailer gives an attachment: its own, the last part of its path or URL, or one it makes up. */
function nameOf(attachment: Readonly<Record<string, unknown>>): string {
  const { filename, path, href, contentType = '' } = attachment
  if (typeof filename === 'string' && filename !== '') return filename
  if (filename === false || /^message\//i.test(String(contentType))) return ''
  const place = typeof path === 'string' ? path : typeof href === 'string' ? href : ''
  if (/^data:/i.test(place)) return ''
  const name = place.split(/[/\\]/).pop()!.split('?')[0]!
  // Without an extension it is named after its type, and .bin where that is unknown.
  return name.includes('.') || !/^(application\/octet-stream)?$/i.test(String(contentType))
    ? name
    : `${name}.bin`
}

/** Bytes of a text, a buffer, or a descriptor that holds one; undefined for what would have to be read first. */
export function contentBytes(value: unknown): number | undefined {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (value instanceof Uint8Array) return value.byteLength
  if (!isRecord(value)) return undefined
  const { content, encoding, path, href, raw } = value
  if (typeof content === 'string') {
    return Buffer.byteLength(
      content,
      typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : 'utf8',
    )
  }
  if (content instanceof Uint8Array) return content.byteLength
  const place = typeof path === 'string' ? path : typeof href === 'string' ? href : ''
  if (/^data:/i.test(place)) {
    const comma = place.indexOf(',')
    const length = place.length - comma - 1
    return /;base64$/i.test(place.slice(0, comma)) ? Math.floor((length * 3) / 4) : length
  }
  return raw === undefined ? undefined : contentBytes(raw)
}

/** What so many bytes are in base64, without line ends. */
export function toBase64Bytes(bytes: number): number {
  return Math.ceil(bytes / 3) * 4
}
