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

/** What is not known about Postmark's treatment of an email, with the sandbox's choice, and what Postmark ignores. */
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
    ? ['Lines end in LF without CR. It is not known whether Postmark reads such an email; the sandbox does.']
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
      const choice = field === 'tag' ? 'refuses the email' : 'uses the first'
      notes.push(
        `${header.key} occurs twice. It is not known what Postmark does then; the sandbox ${choice}.`,
      )
    }
    if (field === 'metadata' && seen.has(lower))
      notes.push(
        `${header.key} occurs twice. Postmark keeps the later one under its name with an incremental number. ` +
          'The format of the number is not documented; the sandbox appends 1, 2 and so on.',
      )
    seen.add(lower)
  }
  return notes
}

function ignored(name: string, lower: string): string {
  const meant = MISSPELLED_HEADERS.get(lower)
  if (meant) return `Postmark ignores ${name}. The correct header is ${meant}.`
  if (RESERVED.has(lower)) return `Postmark writes ${name} itself and removes yours from the delivered copy.`
  return `${name} is not a Postmark header and does nothing.`
}

function readFieldNotes({ key, value }: MailHeader, mail: ReadMail): string[] {
  const { field, metadataKey } = meaningOf(key)!
  const notes: string[] = []
  if (!/^[ -~]*$/.test(value))
    notes.push(`${key} is encoded. It is not known whether Postmark decodes it; the sandbox does.`)
  if (metadataKey === undefined && value !== '' && mail.postmark[field] === undefined)
    notes.push(`${key} has a value that Postmark does not document. The sandbox ignores it.`)
  if (metadataKey !== undefined && value.length > POSTMARK_FIELDS.metadata.maxLength)
    notes.push(
      'One report describes an email with a metadata value of 110 characters that left no trace, not even a bounce.',
    )
  if (field === 'bounceType' && !mail.envelope.to.some(isBounceTest))
    notes.push(`${key} does nothing, because no recipient is at bounce-testing.postmarkapp.com.`)
  return notes
}

function readRouteNotes(mail: ReadMail, arrival: Arrival, stream: SandboxStream | undefined): string[] {
  const notes: string[] = []
  const { hostType, tokenStream } = arrival
  const named = mail.postmark.messageStream
  if (hostType && stream && stream.type !== 'inbound' && stream.type !== hostType)
    notes.push(
      `The email was sent to the ${hostType} host, but "${stream.id}" is a message stream of the type ${stream.type}. ` +
        'It is not known what Postmark does then; the sandbox uses the stream.',
    )
  if (tokenStream !== undefined && named && named !== tokenStream)
    notes.push(
      `The SMTP token belongs to the stream "${tokenStream}", but the header names "${named}". ` +
        'One report says that the token wins, and the sandbox follows it.',
    )
  return notes
}

/** REST is known to send the email to the others, and nothing reports these. */
function readRecipientNotes({ envelope }: ReadMail, stream: string, rules: NoteRules): string[] {
  const inactive = envelope.to.filter((address) => rules.isSuppressed(stream, address))
  return inactive.length > 0 && inactive.length < envelope.to.length
    ? [`Message OK, but will not deliver to these inactive addresses: ${inactive.join(', ')}`]
    : []
}
