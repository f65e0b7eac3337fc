import { decodeText } from './charset.js'
import { headerValue } from './header-block.js'
import { parameter } from './header-parameter.js'
import type { MimePart } from './mime-parts.js'

/** A file that came with an email. */
export interface MailAttachment {
  /** The decoded file name, empty if the part has none. */
  readonly filename: string
  /** In lower case. @example 'application/pdf' */
  readonly mimeType: string
  /** The name by which the html refers to an inline image. @example '<logo@example.com>' */
  readonly contentId?: string
  readonly content: Buffer
}

/** What a reader of the email sees below its header. */
export interface MailContent {
  readonly text?: string
  readonly html?: string
  readonly attachments: readonly MailAttachment[]
  /** What could not be read correctly, and what was done instead. Left out if there is nothing to report. */
  readonly notes?: readonly string[]
}

/**
 * Decodes the parts of a message in a time that depends only on its size. For some messages of 400 kB, postal-mime takes
 * most of a minute, and any client can send such a message to this server.
 */
export function readContent(parts: readonly MimePart[]): MailContent {
  const bodies = parts.filter(isBody).map(toBody)
  const text = joinBodies(bodies, 'text/plain')
  const html = joinBodies(bodies, 'text/html')
  const files = parts.filter((part) => !isBody(part))
  const notes = [...new Set(bodies.flatMap(({ note }) => note ?? []))]
  return {
    ...(text !== undefined && { text }),
    ...(html !== undefined && { html }),
    attachments: files.map(toAttachment),
    ...(notes.length > 0 && { notes }),
  }
}

function isBody({ type, headers }: MimePart): boolean {
  const disposition = headerValue(headers, 'content-disposition') ?? ''
  return (type === 'text/plain' || type === 'text/html') && !/^\s*attachment/i.test(disposition)
}

interface Body {
  readonly type: string
  readonly text: string
  readonly note: string | undefined
}

function joinBodies(bodies: readonly Body[], type: string): string | undefined {
  const wanted = bodies.filter((body) => body.type === type)
  return wanted.length > 0 ? wanted.map(({ text }) => text).join('\n') : undefined
}

function toBody({ type, headers, decode }: MimePart): Body {
  const contentType = headerValue(headers, 'content-type') ?? ''
  const charset = parameter(contentType, 'charset')
  const bytes = decode()
  const decoded = decodeText(bytes, charset)
  const text = (decoded ?? bytes.toString()).replaceAll('\r\n', '\n')
  const isFlowed = parameter(contentType, 'format')?.toLowerCase() === 'flowed'
  return {
    type,
    text: isFlowed ? joinFlowed(text, parameter(contentType, 'delsp')?.toLowerCase() === 'yes') : text,
    note:
      decoded === undefined
        ? `The charset "${charset}" of the ${type} part is not known, so the part was read as UTF-8.`
        : undefined,
  }
}

/** Joins the lines that end in a space, except the line before a signature, `-- ` (RFC 3676). */
function joinFlowed(text: string, deletesSpace: boolean): string {
  return text
    .replace(/^ /gm, '')
    .replace(/(^-- )?( )?\n/gm, (all, signature?: string, space?: string) =>
      signature !== undefined || space === undefined ? all : deletesSpace ? '' : ' ',
    )
}

function toAttachment({ type, headers, filename = '', decode }: MimePart): MailAttachment {
  const contentId = headerValue(headers, 'content-id')
  return {
    filename,
    mimeType: type,
    ...(contentId !== undefined && { contentId }),
    content: decode(),
  }
}
