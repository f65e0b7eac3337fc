import PostalMime from 'postal-mime'

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

/** What a reader of the mail sees below its header. A type of our own, since postal-mime's want the DOM's. */
export interface MailContent {
  readonly text?: string
  readonly html?: string
  readonly attachments: readonly MailAttachment[]
}

/** Parses a whole message: 1.5 ms for one of 10 kB, against 0.02 ms for its header block. */
export async function parseContent(raw: Buffer): Promise<MailContent> {
  const { text, html, attachments } = await PostalMime.parse(raw)
  return {
    ...(text !== undefined && { text }),
    ...(html !== undefined && { html }),
    attachments: attachments.map(({ filename, mimeType, contentId, content }) => ({
      filename: filename ?? '',
      mimeType,
      ...(contentId !== undefined && { contentId }),
      content: Buffer.from(content as ArrayBuffer),
    })),
  }
}
