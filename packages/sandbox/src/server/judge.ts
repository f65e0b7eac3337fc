import { API_ERRORS, checkMessage, MESSAGE_LIMITS } from '@postmark-smtp/core'
import { meaningOf } from '@postmark-smtp/core/internal'
import type { Arrival } from '../mail/arrival.js'
import { headerValue } from '../mail/header-block.js'
import { readParts } from '../mail/mime-parts.js'
import type { ReadMail } from '../mail/sandbox-mail.js'
import { DEFAULT_STREAM, isStreamId, type SandboxStream } from '../mail/stream.js'
import type { Judgement, VerdictProblem } from '../mail/verdict.js'
import { readNotes } from './mail-notes.js'
import { judgeSender, type SenderRules } from './sender-rules.js'

/** What the server knows that a mail is held against. */
export interface Rules extends SenderRules {
  findStream(id: string): SandboxStream | undefined
  isSuppressed(stream: string, address: string): boolean
}

/** Judges a mail as Postmark would behind its `250`, and finds every problem at once. */
export function judge(mail: ReadMail, arrival: Arrival, rules: Rules): Judgement {
  const wanted = arrival.tokenStream ?? mail.postmark.messageStream ?? DEFAULT_STREAM
  const stream = rules.findStream(wanted)
  const problems = [
    ...judgeSender(mail, rules),
    ...judgeStream(wanted, stream),
    ...judgeMessage(mail),
    ...(stream ? judgeRecipients(mail, stream.id, rules) : []),
  ]
  return {
    stream: wanted,
    verdict: {
      outcome: problems.length > 0 ? 'refused' : 'sent',
      problems,
      notes: readNotes(mail, arrival, stream, rules),
    },
  }
}

function judgeStream(id: string, stream: SandboxStream | undefined): VerdictProblem[] {
  const path = 'postmark.messageStream'
  if (!stream || stream.archived) {
    const message = `The stream provided: '${id}' does not exist on this server.`
    return [{ errorCode: 1235, message, path, cure: cureForStream(id, stream) }]
  }
  if (stream.type !== 'inbound') return []
  const message = "Sending is not supported on the supplied 'MessageStream'."
  return [{ errorCode: 1236, message, path, cure: API_ERRORS[1236]!.cure }]
}

/** At Postmark one makes a stream in its pages; here one declares it. */
function cureForStream(id: string, archived: SandboxStream | undefined): string {
  const { cure } = API_ERRORS[1235]!
  if (archived) return `${cure} On this sandbox \`${id}\` is archived.`
  return isStreamId(id) ? `${cure} For this sandbox: \`streams: ['${id}']\`, or \`--stream ${id}\`.` : cure
}

/** The limits of core's preflight, on what arrived. */
function judgeMessage(mail: ReadMail): VerdictProblem[] {
  const { envelope, subject, raw } = mail
  const message = {
    from: headerValue(mail.headers, 'from'),
    to: envelope.to,
    subject,
    headers: mail.headers.filter(({ key }) => isLimited(key)),
    ...readContent(raw, mail),
  }
  return checkMessage(message, () => envelope.to).flatMap(
    ({ path, found, limit, cure, severity, errorCode = 300 }) =>
      severity === 'error'
        ? [{ errorCode, message: `${API_ERRORS[errorCode]?.name}: ${path} ${found} (${limit}).`, path, cure }]
        : [],
  )
}

/** Of the other Postmark headers a bad value does nothing; it is noted. */
function isLimited(key: string): boolean {
  const field = meaningOf(key)?.field
  return field === 'tag' || field === 'metadata'
}

/** Names of attachments, and contents only of a mail that is large enough to break a limit. */
function readContent(raw: Buffer, { headers }: ReadMail): object {
  const type = headerValue(headers, 'content-type')
  const small = raw.length <= MESSAGE_LIMITS.bodyBytes
  if (small && !/multipart|name/i.test(type ?? '') && !headerValue(headers, 'content-disposition')) return {}
  const parts = readParts(raw)
  const content = (part: (typeof parts)[number]) => (small ? {} : { content: part.decode() })
  const text = parts.find((part) => part.type === 'text/plain' && part.filename === undefined)
  const html = parts.find((part) => part.type === 'text/html' && part.filename === undefined)
  const files = parts.filter((part) => part !== text && part !== html)
  return {
    ...(text && { text: content(text) }),
    ...(html && { html: content(html) }),
    attachments: files.map((part) => ({
      filename: part.filename ?? '',
      ...content(part),
      contentType: part.type,
    })),
  }
}

/** Postmark refuses a mail only if nobody is left to send it to. */
function judgeRecipients({ envelope }: ReadMail, stream: string, rules: Rules): VerdictProblem[] {
  const inactive = envelope.to.filter((address) => rules.isSuppressed(stream, address))
  if (inactive.length === 0 || inactive.length < envelope.to.length) return []
  const message =
    'You tried to send to recipient(s) that have been marked as inactive. ' +
    `Found inactive addresses: ${inactive.join(', ')}. Inactive recipients are ones that have generated ` +
    'a hard bounce, a spam complaint, or a manual suppression.'
  return [{ errorCode: 406, message, path: 'to', cure: API_ERRORS[406]!.cure }]
}
