import { POSTMARK_FIELDS, RESERVED_HEADERS } from '@postmark-smtp/core'
import { HEADER_PREFIX, MISSPELLED_HEADERS, meaningOf } from '@postmark-smtp/core/internal'
import type { Arrival } from '../mail/arrival.js'
import { type MailHeader, splitEntity } from '../mail/header-block.js'
import type { ReadMail } from '../mail/sandbox-mail.js'
import type { SandboxStream } from '../mail/stream.js'
import { isBounceTest } from './test-bounce-type.js'

const PREFIX = HEADER_PREFIX.toLowerCase()
const RESERVED = new Set(RESERVED_HEADERS.map((name) => name.toLowerCase()))

interface NoteRules {
  isSuppressed(stream: string, address: string): boolean
}

/** What is not known of Postmark about a mail, with what the sandbox chose; and what Postmark ignores. */
export function readNotes(
  mail: ReadMail,
  arrival: Arrival,
  stream: SandboxStream | undefined,
  rules: NoteRules,
): string[] {
  return [
    ...readLineEndNotes(mail),
    ...readHeaderNotes(mail),
    ...readRouteNotes(mail, arrival, stream),
    ...(stream ? readRecipientNotes(mail, stream.id, rules) : []),
  ]
}

function readLineEndNotes({ raw }: ReadMail): string[] {
  return hasBareLf(splitEntity(raw).header)
    ? ['Lines end in LF without CR. Whether Postmark reads such a mail is not known; the sandbox does.']
    : []
}

function hasBareLf(header: Buffer): boolean {
  for (let at = header.indexOf(0x0a); at >= 0; at = header.indexOf(0x0a, at + 1))
    if (header[at - 1] !== 0x0d) return true
  return false
}

function readHeaderNotes(mail: ReadMail): string[] {
  const notes: string[] = []
  const seen = new Set<string>()
  for (const header of mail.headers) {
    const lower = header.key.toLowerCase()
    if (!lower.startsWith(PREFIX)) continue
    const field = meaningOf(header.key)?.field
    notes.push(...(field ? readFieldNotes(header, mail) : [ignored(header.key, lower)]))
    if (field && field !== 'metadata' && seen.has(lower)) {
      const choice = field === 'tag' ? 'refuses the mail' : 'takes the first'
      notes.push(`${header.key} is there twice. What Postmark does then is not known; the sandbox ${choice}.`)
    }
    if (field === 'metadata' && seen.has(lower))
      notes.push(
        `${header.key} is there twice. Postmark keeps the later one under its name with an incremental number; ` +
          'how that looks is not documented, and the sandbox appends 1, 2 and so on.',
      )
    seen.add(lower)
  }
  return notes
}

function ignored(name: string, lower: string): string {
  const meant = MISSPELLED_HEADERS.get(lower)
  if (meant) return `Postmark ignores ${name}; the header is ${meant}.`
  if (RESERVED.has(lower))
    return `Postmark writes ${name} itself; the delivered copy is without the sender's.`
  return `${name} is no header of Postmark's and does nothing.`
}

function readFieldNotes({ key, value }: MailHeader, mail: ReadMail): string[] {
  const { field, metadataKey } = meaningOf(key)!
  const notes: string[] = []
  if (!/^[ -~]*$/.test(value))
    notes.push(`${key} came encoded. Whether Postmark decodes it is not known; the sandbox does.`)
  if (metadataKey === undefined && value !== '' && mail.postmark[field] === undefined)
    notes.push(`${key} has a value that Postmark does not document. The sandbox passes over it.`)
  if (metadataKey !== undefined && value.length > POSTMARK_FIELDS.metadata.maxLength)
    notes.push(
      'One report says that a mail with a metadata value of 110 characters left no trace, no bounce either.',
    )
  if (field === 'bounceType' && !mail.envelope.to.some(isBounceTest))
    notes.push(`${key} does nothing: no recipient is at bounce-testing.postmarkapp.com.`)
  return notes
}

function readRouteNotes(mail: ReadMail, arrival: Arrival, stream: SandboxStream | undefined): string[] {
  const notes: string[] = []
  const { hostType, tokenStream } = arrival
  const named = mail.postmark.messageStream
  if (hostType && stream && stream.type !== 'inbound' && stream.type !== hostType)
    notes.push(
      `The mail came in at the ${hostType} host, but "${stream.id}" is a message stream of the type ${stream.type}. ` +
        'What Postmark does then is not known; the sandbox goes by the stream.',
    )
  if (tokenStream !== undefined && named && named !== tokenStream)
    notes.push(
      `The SMTP token belongs to the stream "${tokenStream}", the header names "${named}". ` +
        'The token is said to win, and does so here.',
    )
  return notes
}

/** As REST is known to answer: the mail goes to the others, and nothing reports these. */
function readRecipientNotes({ envelope }: ReadMail, stream: string, rules: NoteRules): string[] {
  const inactive = envelope.to.filter((address) => rules.isSuppressed(stream, address))
  return inactive.length > 0 && inactive.length < envelope.to.length
    ? [`Message OK, but will not deliver to these inactive addresses: ${inactive.join(', ')}`]
    : []
}
