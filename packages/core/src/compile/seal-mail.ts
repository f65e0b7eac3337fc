import { claim } from '../context/context.js'
import { checkDkim } from '../message/check-dkim.js'
import { checkEnvelope } from '../message/check-head.js'
import { guardReading } from '../message/guard-reading.js'
import type { Message, MimeNode, SendingMail, SentCallback, Transport } from '../message/nodemailer-types.js'
import { sealHead } from '../message/seal-head.js'
import { readingError } from '../message/stream-content.js'
import { isRecord } from '../problems/describe.js'
import { problemsError } from '../problems/error.js'
import { NO_PROBLEMS, type PostmarkProblem } from '../problems/problem.js'
import type { MailRecord } from './mail-record.js'
import { recordOf } from './mail-record.js'
import { toQuickMail } from './quick-mail.js'

/** What our transport does with an email that was not compiled. */
export type LateStep = (mail: SendingMail, done: SentCallback, handOver: Transport['send']) => void

/**
 * Makes a transport receive every compiled mail sealed. Emails are sealed when they are handed over, because plugins may
 * write headers until then. A plugin in the `stream` step would run before those that are registered later.
 * @param late what to do with an email that was not compiled; by default it is passed on unchanged
 */
export function sealTransport(transport: unknown, late?: LateStep): void {
  if (!isTransport(transport) || !claim(transport)) return
  const send = transport.send.bind(transport)
  const handOver: Transport['send'] = (mail, done) => {
    const record = recordOf(mail)
    // An email that was settled while it was composed must not be delivered after that.
    if (!record || record.settled) return
    try {
      sealMail(mail, record)
    } catch (error) {
      done(error as Error)
      return
    }
    record.handedOver = true
    try {
      send(mail, done)
    } catch (error) {
      if (!record.settle(error)) throw error
    }
  }
  transport.send = (mail, done) => {
    if (recordOf(mail)?.result) handOver(mail, done)
    else if (late) late(mail, done, handOver)
    else send(mail, done)
  }
}

function isTransport(value: unknown): value is Transport {
  return typeof (value as Partial<Transport> | null | undefined)?.send === 'function'
}

/**
 * Makes a composed email final. Its header blocks are built once, however often the email is tried, with our lines
 * unchanged. Content that must not reach a server is rejected.
 * @throws PostmarkError ERR_POSTMARK_PREFLIGHT
 */
function sealMail(mail: SendingMail, record: MailRecord): void {
  const { result, sealed } = record
  if (!result || sealed) return
  record.sealed = true
  const root = mail.message as Partial<Message> | null
  if (typeof root?.buildHeaders !== 'function') return
  const message = root as Message
  settleMessageId(message)
  const { raw } = mail.data
  // An email that was compiled late has the message as it was passed.
  if (raw && message._raw !== raw) message.setRaw(raw)
  guardReading(message, result.openRaw)
  const envelope = message.getEnvelope()
  // Nodemailer would parse all addresses again each time.
  message._envelope = envelope
  const problems = [...checkEnvelope(envelope), ...(mail.data.dkim ? checkDkim(mail.data) : NO_PROBLEMS)]
  const { lines } = result
  const content = record.batch?.content
  const body = record.body ?? content?.find(message, mail.data.baseBoundary !== undefined)
  // The parts below the root were sealed with the email that composed the shared body.
  if (body?.composed) sealHead(message, problems, lines)
  else sealNode(message, problems, lines)
  if (problems.length > 0) throw problemsError('ERR_POSTMARK_PREFLIGHT', problems)
  if (!body) return
  content?.keep(body)
  if (content && !content.quick && record.fields && !record.body)
    content.quick = toQuickMail(record, body, message.buildHeaders(), envelope.from)
  record.body = body
}

/** @param lines our header lines; undefined for a part */
function sealNode(node: MimeNode, problems: PostmarkProblem[], lines?: readonly string[]): void {
  const content = node._raw || node.content
  const unreadable = typeof content === 'object' ? readingError(content) : undefined
  if (unreadable) throw unreadable
  // Content given as `raw` has its own header block.
  if (!node._raw) sealHead(node, problems, lines)
  for (const child of node.childNodes ?? []) sealNode(child, problems)
}

/**
 * Nodemailer accepts a Message-ID of any type. If it is not a string, Nodemailer then throws where nobody can catch it.
 */
function settleMessageId(message: Message): void {
  const id = message.messageId()
  if (typeof id === 'string') return
  const text = String((isRecord(id) ? id.value : id) ?? '').trim()
  message.setHeader('Message-ID', text === '' ? undefined : text.replace(/^<?(.*?)>?$/s, '<$1>'))
  // Creates one if there is none.
  message.messageId()
}
