import { headerValue } from './header-block.js'
import { type MimePart, parameter } from './mime-parts.js'

/** A file that came with a mail. */
export interface MailAttachment {
  /** The decoded file name, empty where the part has none. */
  readonly filename: string
  /** In lower case. @example 'application/pdf' */
  readonly mimeType: string
  /** What an inline image is named by in the html. @example '<logo@example.com>' */
  readonly contentId?: string
  readonly content: Buffer
}

/** What a reader of the mail sees below its header. */
export interface MailContent {
  readonly text?: string
  readonly html?: string
  readonly attachments: readonly MailAttachment[]
}

/**
 * Decodes the parts of a message. Its time grows with the size of the message alone: postal-mime takes most of
 * a minute for some messages of 400 kB, and this server must live through each.
 */
export function readContent(parts: readonly MimePart[]): MailContent {
  const bodies = parts.filter(isBody)
  const text = joinBodies(bodies, 'text/plain')
  const html = joinBodies(bodies, 'text/html')
  const files = parts.filter((part) => !isBody(part))
  return {
    ...(text !== undefined && { text }),
    ...(html !== undefined && { html }),
    attachments: files.map(toAttachment),
  }
}

function isBody({ type, headers }: MimePart): boolean {
  const disposition = headerValue(headers, 'content-disposition') ?? ''
  return (type === 'text/plain' || type === 'text/html') && !/^\s*attachment/i.test(disposition)
}

function joinBodies(bodies: readonly MimePart[], type: string): string | undefined {
  const wanted = bodies.filter((part) => part.type === type)
  return wanted.length > 0 ? wanted.map(toText).join('\n') : undefined
}

function toText(part: MimePart): string {
  const contentType = headerValue(part.headers, 'content-type') ?? ''
  const text = decoder(parameter(contentType, 'charset')).decode(part.decode()).replaceAll('\r\n', '\n')
  const isFlowed = parameter(contentType, 'format')?.toLowerCase() === 'flowed'
  return isFlowed ? joinFlowed(text, parameter(contentType, 'delsp')?.toLowerCase() === 'yes') : text
}

function decoder(charset = 'utf-8'): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(charset)
  } catch {
    return new TextDecoder()
  }
}

/** Joins the lines that end in a space; that of a signature, `-- `, stays (RFC 3676). */
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
