import type { PostmarkProblem } from '@postmark-smtp/core'
import { API_ERRORS, checkMessage, MESSAGE_LIMITS, POSTMARK_FIELDS } from '@postmark-smtp/core'
import { meaningOf, REST_ANSWERS, refusedByRest } from '@postmark-smtp/core/internal'
import type { Arrival } from '../mail/arrival.js'
import { headerValue } from '../mail/header-block.js'
import { type MimePart, readParts } from '../mail/mime-parts.js'
import type { ReadMail } from '../mail/sandbox-mail.js'
import { DEFAULT_STREAM, isStreamId, type SandboxStream } from '../mail/stream.js'
import type { Judgement, VerdictProblem } from '../mail/verdict.js'
import { readNotes } from './mail-notes.js'
import { judgeSender, type SenderRules } from './sender-rules.js'

/** What the server knows and judges an email by. */
export interface Rules extends SenderRules {
  findStream(id: string): SandboxStream | undefined
  isSuppressed(stream: string, address: string): boolean
}

/** Judges an email as Postmark would after its `250`, and finds all problems. */
export function judge(mail: ReadMail, arrival: Arrival, rules: Rules): Judgement {
  const wanted = arrival.tokenStream ?? mail.postmark.messageStream ?? DEFAULT_STREAM
  const stream = rules.findStream(wanted)
  const found = checkMessage(toMessage(mail))
  const problems = [
    ...judgeSender(mail, rules),
    ...judgeStream(wanted, stream),
    ...judgeMessage(found, mail),
    ...(stream ? judgeRecipients(mail, stream.id, rules) : []),
  ]
  return {
    stream: wanted,
    verdict: {
      outcome: problems.length > 0 ? 'refused' : 'sent',
      problems,
      notes: [...readNotes(mail, arrival, stream, rules), ...noteDoubts(found)],
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

/** At Postmark you create a stream on its pages; in the sandbox you declare it. */
function cureForStream(id: string, archived: SandboxStream | undefined): string {
  const { cure } = API_ERRORS[1235]!
  if (archived) return `${cure} In this sandbox, \`${id}\` is archived.`
  return isStreamId(id)
    ? `${cure} In this sandbox, declare it with \`streams: ['${id}']\` or \`--stream ${id}\`.`
    : cure
}

/** The errors that core's preflight finds in what arrived, in its words. */
function judgeMessage(found: readonly PostmarkProblem[], mail: ReadMail): VerdictProblem[] {
  return found
    .filter(({ path, severity }) => severity === 'error' && !(path === 'from' && mail.from === ''))
    .map(({ path, found, limit, cure, errorCode = 300 }) => {
      const message = `${API_ERRORS[errorCode]?.name}: ${path} ${found} (expected: ${limit}).`
      return { errorCode, message, path, cure }
    })
}

/** What REST refuses and SMTP may take. */
function noteDoubts(found: readonly PostmarkProblem[]): string[] {
  const doubts: Readonly<Record<string, string>> = {
    to: `No To, Cc or Bcc line names a recipient. ${refusedByRest(REST_ANSWERS.noRecipients)}`,
    text: `The email has no text and no html. ${refusedByRest(REST_ANSWERS.noBody)}`,
  }
  return found
    .filter(({ path, severity }) => severity === 'warning' && doubts[path] !== undefined)
    .map(({ path }) => `${doubts[path]} The sandbox sends it.`)
}

/** What arrived, as a message that core can check. */
function toMessage(mail: ReadMail): object {
  const line = (name: string) => headerValue(mail.headers, name)
  return {
    from: line('from'),
    to: line('to'),
    cc: line('cc'),
    bcc: line('bcc'),
    envelope: { to: mail.envelope.to },
    subject: mail.subject,
    headers: limitedHeaders(mail),
    ...readContent(mail),
  }
}

/** Tag and metadata: a bad value makes Postmark refuse the email. In other Postmark headers it is only noted. */
function limitedHeaders({ headers, postmark }: ReadMail): object[] {
  const metadata = Object.entries(postmark.metadata ?? {})
  return [
    ...headers.filter(({ key }) => meaningOf(key)?.field === 'tag'),
    ...metadata.map(([key, value]) => ({ key: POSTMARK_FIELDS.metadata.header + key, value })),
  ]
}

/** In a larger mail, the sandbox does not check whether the text is blank. */
const LARGEST_ASKED = 65_536

/** The names of attachments. The contents too if the email is so large, or so small, that they may matter. */
function readContent({ raw, fields }: ReadMail): object {
  const parts = readParts(raw, fields)
  const isLarge = raw.length > MESSAGE_LIMITS.bodyBytes
  const body = (type: string) =>
    parts.find((part) => part.type === type && part.filename === undefined && !isAttached(part))
  const text = body('text/plain')
  const html = body('text/html')
  const content = (part: MimePart) =>
    isLarge || raw.length <= LARGEST_ASKED ? { content: part.decode() } : { path: 'not read' }
  const files = parts.filter((part) => part !== text && part !== html)
  return {
    ...(text && { text: content(text) }),
    ...(html && { html: content(html) }),
    attachments: files.map((part) => ({
      filename: part.filename ?? false,
      contentType: part.type,
      ...(isLarge && { content: part.decode() }),
    })),
  }
}

function isAttached({ headers }: MimePart): boolean {
  return /^\s*attachment/i.test(headerValue(headers, 'content-disposition') ?? '')
}

/** Postmark refuses an email only if nobody is left to send it to. */
function judgeRecipients({ envelope }: ReadMail, stream: string, rules: Rules): VerdictProblem[] {
  const inactive = envelope.to.filter((address) => rules.isSuppressed(stream, address))
  if (inactive.length === 0 || inactive.length < envelope.to.length) return []
  const message =
    'You tried to send to recipient(s) that have been marked as inactive. ' +
    `Found inactive addresses: ${inactive.join(', ')}. Inactive recipients are ones that have generated ` +
    'a hard bounce, a spam complaint, or a manual suppression.'
  return [{ errorCode: 406, message, path: 'to', cure: API_ERRORS[406]!.cure }]
}
