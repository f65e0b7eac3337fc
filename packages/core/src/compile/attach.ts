import type { SendMailOptions, Transporter } from 'nodemailer'
import { claim } from '../context/context.js'
import type { FieldOrigins } from '../fields/field-origin.js'
import { cloneMessage } from '../message/clone-message.js'
import { joinHeaders, splitHeaders } from '../message/header-shapes.js'
import type { MailerLike } from '../message/nodemailer-types.js'
import { refuseTransport } from '../message/refuse-transport.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { toCompileStep } from './compile-step.js'
import type { CompileResult } from './mail-record.js'
import { carryRecord, MailRecord } from './mail-record.js'
import { sealTransport } from './seal-mail.js'
import type { CompileOptions, CompileSettings } from './settings.js'
import { toCompileSettings } from './settings.js'

/** What `info.postmark` tells of a sent mail. */
export interface PostmarkInfo {
  /** The stream that the mail named; undefined means Postmark's `outbound`. */
  readonly messageStream?: string
  readonly tag?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** Set where the option `correlationId` is on. */
  readonly correlationId?: string
  /** Where the mail went; of `createPostmarkTransport` alone. */
  readonly host?: string
  readonly port?: number
  /** How often it was tried; of `createPostmarkTransport` alone. */
  readonly attempts?: number
  /** What was fitted or is doubtful; empty when nothing was. */
  readonly warnings: readonly PostmarkProblem[]
  /** Which level each field came from. Not enumerable: it is worked out when it is asked for. */
  readonly origins: FieldOrigins
}

/** What a transporter's sendMail resolves to. */
export type InfoOf<T> = T extends Transporter<infer Info> ? Info : never

/** `sendMail` as {@link attachPostmark} leaves it: the result gains `postmark`. */
export interface PostmarkSender<Info> {
  /** Sends a mail. */
  sendMail(message: SendMailOptions): Promise<Info & { readonly postmark: PostmarkInfo }>
  /** Sends a mail. */
  sendMail(
    message: SendMailOptions,
    callback: (error: Error | null, info: Info & { readonly postmark: PostmarkInfo }) => void,
  ): void
}

type Callback = (error: Error | null, info?: unknown) => void
type SendMail = (message: object, callback?: Callback) => Promise<unknown> | undefined

/**
 * Makes a transporter write Postmark's headers from the context, the message and defaults. What a mail carries is
 * fixed when sendMail is called, the message is never written into, and the result gains `info.postmark`.
 * @example const transporter = attachPostmark(createTransport(options), { defaults: { messageStream: 'outbound' } })
 * @returns the same transporter; attaching twice equals once, the first options hold
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, ERR_POSTMARK_FIELDS, ERR_POSTMARK_TRANSPORT, ERR_POSTMARK_TLS
 */
export function attachPostmark<T extends Transporter<unknown>>(
  transporter: T,
  options?: CompileOptions,
): PostmarkSender<InfoOf<T>> & T {
  return attachSettings(transporter, toCompileSettings(options)) as PostmarkSender<InfoOf<T>> & T
}

/** The same with settings that were checked already. */
export function attachSettings<T extends object>(transporter: T, settings: CompileSettings): T {
  const mailer = transporter as unknown as MailerLike & { sendMail: SendMail }
  const doubt = refuseTransport(mailer)
  if (doubt) settings.warn(doubt)
  if (!claim(transporter)) return transporter
  sealTransport(mailer.transporter)
  mailer.use('compile', toCompileStep(settings))
  const send = mailer.sendMail.bind(mailer)
  mailer.sendMail = (message, callback) => {
    const { copy, record } = takeMail(message)
    if (typeof callback !== 'function') return send(copy)?.then((info) => withPostmark(info, record))
    return send(copy, (error, info) => callback(error, error ? info : withPostmark(info, record)))
  }
  return transporter
}

/** Reads context and message now; the copy carries what was read, and none of the caller's Postmark headers. */
function takeMail(message: object | null | undefined): { copy: object; record: MailRecord } {
  const { postmark, ...copy } = cloneMessage(message ?? {})
  const split = splitHeaders(copy.headers)
  const record = new MailRecord(postmark, split.postmark)
  // An object of its own, since Nodemailer writes a transport's default headers into it.
  copy.headers = joinHeaders(split.rest, [])
  carryRecord(copy, record)
  return { copy, record }
}

function withPostmark(info: unknown, record: MailRecord): unknown {
  if (typeof info === 'object' && info !== null && record.result) {
    const sent = info as { postmark?: object }
    sent.postmark = Object.assign(new SentInfo(record.result), sent.postmark, record.route)
  }
  return info
}

/** A class, since a getter that is defined on each object costs many times as much; so `origins` is not enumerable. */
class SentInfo implements PostmarkInfo {
  declare readonly messageStream?: string
  declare readonly tag?: string
  declare readonly metadata?: Readonly<Record<string, string>>
  declare readonly correlationId?: string
  readonly warnings: readonly PostmarkProblem[]
  readonly #origins: () => FieldOrigins

  constructor({ fields, correlationId, warnings, origins }: CompileResult) {
    const { messageStream, tag, metadata } = fields
    if (messageStream) this.messageStream = messageStream
    if (tag) this.tag = tag
    if (metadata) this.metadata = metadata as Readonly<Record<string, string>>
    if (correlationId !== undefined) this.correlationId = correlationId
    this.warnings = warnings
    this.#origins = origins
  }

  get origins(): FieldOrigins {
    return this.#origins()
  }
}
