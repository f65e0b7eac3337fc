import { isRecord } from '../problems/describe.js'
import { contentBytes, isBlank } from './content-size.js'
import { type OutgoingName, outgoingName, rawNames } from './outgoing-name.js'
import { readRawParts } from './raw-parts.js'

/**
 * A part of a message as it is sent. Postmark uses the first text and the first HTML, and treats everything else as
 * attachments.
 */
export interface MessagePart {
  /** Where it is. @example 'attachments[2]' */
  readonly path: string
  readonly kind: 'text' | 'html' | 'file'
  readonly name: OutgoingName | undefined
  /** Whether it is given as `raw`, including its header lines. */
  readonly isRaw: boolean
  /** Its size in bytes; 0 if it must be read first. */
  size(): number
  /** Whether it is only white space. */
  isBlank(): boolean
}

type Message = Readonly<Record<string, unknown>>

/** The bytes of a message given as `raw`. Undefined if they are not in memory. */
export function rawContent(raw: unknown): Buffer | undefined {
  const content = isRecord(raw) && !(raw instanceof Uint8Array) && !raw.path && !raw.href ? raw.content : raw
  if (typeof content === 'string') return Buffer.from(content)
  if (!(content instanceof Uint8Array)) return undefined
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength)
}

/** The parts of a message in the order in which Nodemailer writes them. If it has `raw`, the parts of that. */
export function listParts(message: Message, raw: Buffer | undefined): MessagePart[] {
  return raw ? listRawParts(raw) : listOwnParts(message)
}

function listOwnParts(message: Message): MessagePart[] {
  const parts: MessagePart[] = []
  const add = (path: string, type: string, content: unknown, name: OutgoingName | undefined) => {
    const kind = name === undefined ? kindOf(type, parts) : 'file'
    const raw = isRecord(content) && content.raw
    const isRaw = Boolean(raw)
    const size = () => contentBytes(content) ?? 0
    parts.push({ path, kind, name, isRaw, size, isBlank: () => isBlank(content) })
    // A raw part may be a multipart, whose files count as separate attachments.
    for (const other of rawNames(raw).slice(1))
      parts.push({ path, kind: 'file', name: other, isRaw, size: () => 0, isBlank: () => false })
  }
  for (const [field, type] of BODIES) {
    const body = message[field]
    if (body) add(field, type, body, outgoingName(body, 'alternatives'))
  }
  const { icalEvent } = message
  // It is sent twice: as an alternative and as a file.
  if (icalEvent) add('icalEvent', 'text/calendar', icalEvent, undefined)
  toList(message.alternatives).forEach((part, index) => {
    add(`alternatives[${index}]`, typeOf(part), part, outgoingName(part, 'alternatives'))
  })
  toList(message.attachments).forEach((part, index) => {
    add(`attachments[${index}]`, 'application/octet-stream', part, outgoingName(part, 'attachments', index))
  })
  if (icalEvent) add('icalEvent', 'application/ics', icalEvent, nameOfEvent(icalEvent))
  return parts
}

const BODIES = [
  ['text', 'text/plain'],
  ['watchHtml', 'text/watch-html'],
  ['amp', 'text/x-amp-html'],
  ['html', 'text/html'],
] as const

function nameOfEvent(event: unknown): OutgoingName {
  const filename = isRecord(event) && typeof event.filename === 'string' ? event.filename : ''
  return filename === '' ? { name: 'invite.ics', from: undefined } : { name: filename, from: 'filename' }
}

/** The type of an alternative. Without a type and a name, Nodemailer treats it as plain text. */
function typeOf(part: unknown): string {
  if (!isRecord(part)) return 'text/plain'
  if (part.contentType) return String(part.contentType)
  const place = String(part.path || part.href || '')
  if (/^data:/i.test(place)) return place.slice('data:'.length)
  return /\.html?$/i.test(place) ? 'text/html' : place === '' ? 'text/plain' : ''
}

function kindOf(type: string, before: readonly MessagePart[]): MessagePart['kind'] {
  const [, subtype] = /^\s*text\/(plain|html)\b/i.exec(type) ?? []
  const kind = subtype === undefined ? 'file' : subtype.toLowerCase() === 'html' ? 'html' : 'text'
  return before.some((part) => part.kind === kind) ? 'file' : kind
}

function listRawParts(raw: Buffer): MessagePart[] {
  const parts: MessagePart[] = []
  for (const part of readRawParts(raw)) {
    const kind = part.isFile ? 'file' : kindOf(part.type, parts)
    const path =
      kind === 'file'
        ? `raw.attachments[${parts.filter((each) => each.kind === 'file').length}]`
        : `raw.${kind}`
    parts.push({
      path,
      kind,
      name: part.name === undefined ? undefined : { name: part.name, from: 'raw' },
      isRaw: false,
      size: part.size,
      isBlank: part.isBlank,
    })
  }
  return parts
}

function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value ? [value] : []
}
