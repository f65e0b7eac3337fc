import { type HeaderLine, readHeaderLines, readParagraphs } from './header-lines.js'
import { isObject, type Raw, readText, readTime } from './read-value.js'
import type { EventBase, InboundEvent } from './webhook-event.js'

/**
 * The event of an inbound email. Values that Postmark did not extract are read from the email itself, if the server is set
 * to include it.
 */
export function readInbound(base: EventBase, raw: Raw): InboundEvent {
  const mail = readHeaderLines(readParagraphs(readText(raw.RawEmail) ?? '')[0] ?? '')
  const inMail = (name: string) => findValue(mail, name)
  return {
    ...base,
    kind: 'inbound',
    recordType: 'Inbound',
    recipient:
      readText(raw.OriginalRecipient) ??
      emailOf(Array.isArray(raw.ToFull) ? raw.ToFull[0] : undefined) ??
      readAddress(readText(raw.To) ?? inMail('to')),
    from: emailOf(raw.FromFull) ?? readAddress(readText(raw.From) ?? inMail('from')),
    subject: readText(raw.Subject) ?? decodeWords(inMail('subject')),
    at: base.at ?? readTime(inMail('date')),
    // Postmark's own server writes the topmost line.
    receivedAt: readReceived(findValue(readHeaders(raw.Headers), 'received') ?? inMail('received')),
  }
}

function emailOf(person: unknown): string | undefined {
  return isObject(person) ? readText(person.Email) : undefined
}

/** Postmark's own list of header lines. */
function readHeaders(list: unknown): HeaderLine[] {
  const items = Array.isArray(list) ? list.filter(isObject) : []
  return items.map(({ Name, Value }) => ({ key: readText(Name) ?? '', value: readText(Value) ?? '' }))
}

function findValue(lines: readonly HeaderLine[], name: string): string | undefined {
  return readText(lines.find(({ key }) => key.trim().toLowerCase() === name)?.value.trim())
}

/** Longer than any meaningful line, and short enough for patterns that look ahead. */
const LONGEST_LINE = 2000

/** The first address of a line. @example readAddress('"Shop" <in@example.com>, b@example.com') // 'in@example.com' */
function readAddress(line: string | undefined): string | undefined {
  const text = (line ?? '').slice(0, LONGEST_LINE).replace(/"(?:[^"\\]|\\.)*"(?=\s*<)/g, '')
  const address = (/<([^<>]*)>/.exec(text)?.[1] ?? text.split(',')[0] ?? '').trim()
  return address.includes('@') ? address : undefined
}

/** The time at the end of a Received line. @see https://www.rfc-editor.org/rfc/rfc5321#section-4.4 */
function readReceived(line: string | undefined): Date | undefined {
  return line === undefined ? undefined : readTime(line.slice(line.lastIndexOf(';') + 1).trim())
}

const WORD = /=\?([\w-]+)(?:\*[\w-]*)?\?([bq])\?([^?\s]*)\?=/gi

/** A line as text. @see https://www.rfc-editor.org/rfc/rfc2047 */
function decodeWords(line: string | undefined): string | undefined {
  return line
    ?.slice(0, LONGEST_LINE)
    .replace(/(\?=)\s+(?==\?)/g, '$1')
    .replace(WORD, (word, charset: string, encoding: string, text: string) => {
      const bytes = /b/i.test(encoding) ? Buffer.from(text, 'base64') : Buffer.from(unquote(text), 'latin1')
      try {
        return new TextDecoder(charset).decode(bytes)
      } catch {
        return word
      }
    })
}

function unquote(text: string): string {
  return text
    .replaceAll('_', ' ')
    .replace(/=([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
