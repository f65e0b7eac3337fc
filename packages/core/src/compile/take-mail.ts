import type { Readable } from 'node:stream'
import { accessError } from '../message/access-error.js'
import { checkContents, holdsMoreThanText } from '../message/check-contents.js'
import { cloneMessage } from '../message/clone-message.js'
import { joinHeaders, splitHeaders } from '../message/header-shapes.js'
import { contentStreams, releaseStreams, takeStreams } from '../message/stream-content.js'
import { BATCH, type BatchMail } from './batch-mail.js'
import { carryRecord, MailRecord } from './mail-record.js'
import { applyDefaults, type MessageDefaults } from './message-defaults.js'

/** What a transporter adds to each of its messages. */
export interface MailOptions {
  readonly message?: MessageDefaults | undefined
  readonly disableFileAccess?: boolean | undefined
  readonly disableUrlAccess?: boolean | undefined
}

/** The parts of a transporter that add to messages. */
interface Mailer {
  readonly options?: unknown
  /** Private, on Nodemailer 7 to 10: the second argument of createTransport. */
  readonly _defaults?: unknown
}

/** An email on its way to Nodemailer. */
export interface TakenMail {
  /** The message for Nodemailer, without the caller's Postmark headers. */
  readonly copy: Record<string, unknown>
  readonly record: MailRecord
  /** The streams in its content. */
  readonly streams: readonly Readable[]
  /** Why it must not be passed on. */
  readonly refused: Error | undefined
}

/** Reads the context and the message now. The copy carries what was read, and nothing of the caller's is modified. */
export function takeMail(message: unknown, mailer: Mailer, options: MailOptions): TakenMail {
  const {
    postmark,
    idempotencyKey,
    [BATCH]: batch,
    ...copy
  } = cloneMessage(Object(message ?? {})) as Record<string, unknown> & { [BATCH]?: BatchMail }
  const split = splitHeaders(copy.headers)
  const record = new MailRecord(postmark, split.postmark, undefined, batch?.problems)
  record.idempotencyKey = idempotencyKey
  record.batch = batch
  // A separate object, because Nodemailer writes a transport's default headers into it.
  copy.headers = joinHeaders(split.rest, [])
  const defaults = Object(mailer._defaults) as Readonly<Record<string, unknown>>
  if (options.message) applyDefaults(copy, options.message, defaults)
  for (const flag of ['disableFileAccess', 'disableUrlAccess'] as const) {
    const given = Object(mailer.options) as MailOptions
    if (options[flag] || given[flag] || defaults[flag]) copy[flag] = true
  }
  carryRecord(copy, record)
  if (!holdsMoreThanText(copy)) return { copy, record, streams: [], refused: undefined }
  record.unreadable = checkContents(copy)
  // Otherwise Nodemailer would look for images in it before the compile step rejects it.
  if (record.unreadable.some(({ path }) => path === 'html')) copy.html = undefined
  return { copy, record, streams: takeStreams(copy), refused: accessError(copy) }
}

/**
 * Ends the streams of an email that failed or did not need to be sent: those of the message, and those that the steps
 * created from them.
 */
export function releaseMail(streams: readonly Readable[], { mail }: MailRecord): void {
  releaseStreams(streams)
  if (mail) releaseStreams(contentStreams((mail as { data: Record<string, unknown> }).data))
}
