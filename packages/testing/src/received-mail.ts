/** An email as the server received it. */
export interface ReceivedMail {
  /** The bytes after DATA, dot-unstuffed, without the final dot. */
  readonly raw: Buffer
  /** The physical lines of the header block in latin1, without CRLF. They show the folding. */
  readonly headerLines: readonly string[]
  /** The header fields in their order, unfolded but not decoded. */
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  /** What follows the header block, as UTF-8. */
  readonly body: string
  /** The addresses of MAIL FROM and of each accepted RCPT TO, in order, including repeats. */
  readonly envelope: { readonly from: string; readonly to: readonly string[] }
  /** The user who had logged in. */
  readonly user?: string
  /** The mechanism of that login, such as `CRAM-MD5`. */
  readonly authMethod?: string
  /** Whether the email came over TLS. */
  readonly secure: boolean
  /** The ID of the connection: two emails with the same ID came over the same connection. */
  readonly sessionId: string
  /** The value of the first header field with this name; case is ignored. */
  header(name: string): string | undefined
}

/** What the SMTP session knows about an email. */
export type MailOrigin = Pick<ReceivedMail, 'envelope' | 'secure' | 'sessionId'> & {
  readonly user: string | undefined
  readonly authMethod: string | undefined
}

/** Reads the header block of a message and leaves the rest as it is. */
export function readMail(raw: Buffer, origin: MailOrigin): ReceivedMail {
  const { user, authMethod, ...session } = origin
  const end = headerEnd(raw)
  const headerLines = end === 0 ? [] : raw.subarray(0, end).toString('latin1').split('\r\n')
  const headers = unfold(headerLines)
  return {
    ...session,
    ...(user !== undefined && { user }),
    ...(authMethod !== undefined && { authMethod }),
    raw,
    headerLines,
    headers,
    body: raw.subarray(end === 0 ? 2 : end + 4).toString('utf8'),
    header: (name) => headers.find((field) => field.name.toLowerCase() === name.toLowerCase())?.value,
  }
}

function headerEnd(raw: Buffer): number {
  if (raw[0] === 0x0d && raw[1] === 0x0a) return 0
  const end = raw.indexOf('\r\n\r\n')
  return end < 0 ? raw.length : end
}

function unfold(lines: readonly string[]): { name: string; value: string }[] {
  const fields: { name: string; value: string }[] = []
  for (const line of lines) {
    const last = fields.at(-1)
    if (/^[ \t]/.test(line) && last !== undefined) {
      last.value += line
    } else {
      const colon = line.indexOf(':')
      fields.push({ name: line.slice(0, Math.max(colon, 0)), value: line.slice(colon + 1) })
    }
  }
  return fields.map(({ name, value }) => ({ name, value: value.trim() }))
}
