import { POSTMARK_FIELDS, RESERVED_HEADERS } from '@postmark-smtp/core'
import { HEADER_PREFIX } from '@postmark-smtp/core/internal'
import { splitEntity } from './header-block.js'
import type { SandboxMail } from './sandbox-mail.js'

const PREFIX = HEADER_PREFIX.toLowerCase()
const TAG = POSTMARK_FIELDS.tag.header.toLowerCase()
const MESSAGE_ID = reserved('message-id')
const RECIPIENT = reserved('rcpt')

/**
 * The bytes that a recipient gets: without Bcc and without the headers that Postmark reads, except the tag, which it is
 * known to keep, and with the Message-ID that Postmark gives. The body stays as it came.
 */
export function toDeliveredCopy(mail: SandboxMail, recipient: string): Buffer {
  const { raw, messageId, postmark } = mail
  const { header, body } = splitEntity(raw)
  const kept = splitFields(header.toString('latin1')).filter((field) => {
    const name = field.slice(0, field.indexOf(':')).trim().toLowerCase()
    if (name === 'message-id') return postmark.keepId === true
    return name !== 'bcc' && (name === TAG || !name.startsWith(PREFIX))
  })
  const hasId = kept.some((field) => /^message-id\s*:/i.test(field))
  const added = [
    ...(hasId ? [] : [`Message-ID: <${messageId}@mtasv.net>\r\n`]),
    `${MESSAGE_ID}: ${messageId}\r\n`,
    `${RECIPIENT}: |${Buffer.from(recipient).toString('base64')}|\r\n`,
  ]
  return Buffer.concat([Buffer.from([...kept, ...added, '\r\n'].join(''), 'latin1'), body])
}

/** The fields of a header block, each with its folded lines and line break. */
function splitFields(block: string): string[] {
  const lines = block.replace(/\r?\n/g, '\r\n').replace(/(?<!\n)$/, '\r\n')
  return block === '' ? [] : lines.split(/(?<=\n)(?![ \t])/)
}

/** The spelling of a header that Postmark writes itself. */
function reserved(ending: string): string {
  return RESERVED_HEADERS.find((name) => name.toLowerCase() === `${PREFIX}${ending}`)!
}
