import { isRecord } from '../problems/describe.js'
import { fileNameOf, readHeaderLines } from './file-name.js'
import { composeFileName, composePartHeaders } from './nodemailer.js'
import { readRawParts } from './raw-parts.js'

/** The name that a part of a message is sent with, and which property sets it. */
export interface OutgoingName {
  readonly name: string
  /** Undefined if Nodemailer derives the name from a path, a URL or a type. */
  readonly from: 'filename' | 'raw' | undefined
}

type Descriptor = Readonly<Record<string, unknown>>

/**
 * Reads the name that an attachment or an alternative is sent with. Nodemailer names parts that have no name,
 * differently in different versions. If the name is not just `filename`, Nodemailer itself is asked.
 */
export function outgoingName(
  part: unknown,
  list: 'attachments' | 'alternatives',
  index = 0,
): OutgoingName | undefined {
  if (!isRecord(part)) return undefined
  const { raw, filename } = part
  if (raw) return rawNames(raw)[0]
  const isNamed = typeof filename === 'string' && filename !== ''
  if (isPlain(part)) {
    if (isNamed) return { name: filename, from: 'filename' }
    const name = list === 'attachments' ? composeFileName(withoutContent(part)) : undefined
    return name
      ? { name: name.replace(/^attachment-1(?=\.)/, `attachment-${index + 1}`), from: undefined }
      : undefined
  }
  const name = fileNameOf(readHeaderLines(composePartHeaders(list, withoutContent(part))))
  return name === undefined ? undefined : { name, from: isNamed ? 'filename' : undefined }
}

/** Whether no other property can name the part, and every version writes its name so that it is read unchanged. */
function isPlain({ filename, contentType, contentDisposition, headers }: Descriptor): boolean {
  if (headers || ODD_NAME.test(String(filename ?? ''))) return false
  return !/;/.test(String(contentType ?? '')) && !/;/.test(String(contentDisposition ?? ''))
}

/**
 * Encoded words, which versions 7 to 9 write unchanged, and control characters, which versions 7 and 8 do not encode.
 */
const ODD_NAME = /=\?|\p{Cc}/u

/**
 * The properties that the name is derived from, without content. For a data URL, its beginning, which contains the
 * type.
 */
function withoutContent(part: Descriptor): Record<string, unknown> {
  const { filename, contentType, contentDisposition, headers } = part
  const place = (value: unknown) =>
    typeof value === 'string' && /^data:/i.test(value) ? value.slice(0, value.indexOf(',') + 1) : value
  const copy: Record<string, unknown> = { filename, contentType, contentDisposition, headers, content: '' }
  for (const key of ['path', 'href']) if (part[key] !== undefined) copy[key] = place(part[key])
  return copy
}

/** The names in a part that is given as `raw` and in memory. A multipart has one for each of its files. */
export function rawNames(raw: unknown): readonly OutgoingName[] {
  const bytes = typeof raw === 'string' ? Buffer.from(raw) : raw
  if (!(bytes instanceof Uint8Array)) return []
  return readRawParts(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).flatMap(({ name }) =>
    name === undefined ? [] : { name, from: 'raw' },
  )
}
