import type { SendMailOptions, Transporter } from 'nodemailer'
import { bindHere, claim, runOutside } from '../context/context.js'
import { checkContents } from '../message/check-contents.js'
import { cloneMessage } from '../message/clone-message.js'
import { joinHeaders, splitHeaders } from '../message/header-shapes.js'
import type { CompilePlugin, MailerLike } from '../message/nodemailer-types.js'
import { refuseForeign } from '../message/refuse-foreign.js'
import { refuseTransport } from '../message/refuse-transport.js'
import { contentStreams, holdErrors, releaseStreams, toByteStreams } from '../message/stream-content.js'
import { toCompileStep } from './compile-step.js'
import { toFailure } from './failure.js'
import { guardPlugin } from './guard-plugin.js'
import { carryRecord, MailRecord, type MailRegistry } from './mail-record.js'
import { sealTransport } from './seal-mail.js'
import { addSentInfo, type PostmarkInfo } from './sent-info.js'
import type { CompileOptions, CompileSettings } from './settings.js'
import { toCompileSettings } from './settings.js'
import { toSkippedMail } from './skipped-mail.js'

/** `sendMail` as {@link attachPostmark} leaves it: the result gains `postmark`. */
export interface PostmarkSender<Info> {
  /** Sends a mail. */
  sendMail(message: SendMailOptions): Promise<Info & { readonly postmark: PostmarkInfo }>
  /** Sends a mail. The callback runs in the scope, and every AsyncLocalStorage, that sendMail was called in. */
  sendMail(
    message: SendMailOptions,
    callback: (error: Error | null, info: Info & { readonly postmark: PostmarkInfo }) => void,
  ): void
}

type Callback = (error: Error | null, info?: unknown) => void

/** A transporter, as far as it is changed here. */
interface Mailer extends MailerLike {
  sendMail(message: unknown, callback?: Callback): Promise<unknown> | undefined
  emit(event: string, ...args: unknown[]): boolean
}

/**
 * Makes a transporter write Postmark's headers from the context, the message and defaults. What a mail carries is
 * fixed when sendMail is called, the message is never written into, and the result gains `info.postmark`. An error of
 * a mail that never reached the transport has the outcome `not-sent`.
 * @example const transporter = attachPostmark(createTransport(options), { defaults: { messageStream: 'outbound' } })
 * @returns the same transporter; attaching twice equals once, the first options hold
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, ERR_POSTMARK_FIELDS, ERR_POSTMARK_TRANSPORT, ERR_POSTMARK_TLS
 */
export function attachPostmark<T extends Transporter<unknown>>(
  transporter: T,
  options?: CompileOptions,
): PostmarkSender<T extends Transporter<infer Info> ? Info : never> & T {
  refuseForeign(transporter)
  attachSettings(transporter, toCompileSettings(options))
  return transporter as ReturnType<typeof attachPostmark<T>>
}

/** The same with settings that were checked already. */
export function attachSettings(
  transporter: object,
  settings: CompileSettings,
  registry?: MailRegistry,
): void {
  const mailer = transporter as Mailer
  const doubt = refuseTransport(mailer)
  if (doubt) settings.warn(doubt)
  if (!claim(transporter)) return
  sealTransport(mailer.transporter)
  mailer.use('compile', toCompileStep(settings))
  const { use, emit } = mailer
  mailer.use = (step: string, plugin: CompilePlugin) => use.call(mailer, step, guardPlugin(plugin))
  // A transport emits `idle` in the midst of some mail, whose request the listener has nothing to do with.
  mailer.emit = (event, ...args) =>
    event === 'idle' ? runOutside(() => emit.call(mailer, event, ...args)) : emit.call(mailer, event, ...args)
  const send = mailer.sendMail.bind(mailer)
  mailer.sendMail = (message, callback) => {
    if (typeof callback === 'function') {
      startMail(send, message, registry, bindHere(callback))
      return undefined
    }
    return new Promise((resolve, reject) =>
      startMail(send, message, registry, (error, info) => (error ? reject(error) : resolve(info))),
    )
  }
}

/** Reads context and message now, and sends a copy that carries what was read; answers once, whatever happens. */
function startMail(
  send: Mailer['sendMail'],
  message: unknown,
  registry: MailRegistry | undefined,
  callback: Callback,
): void {
  let mail: TakenMail
  try {
    mail = takeMail(message)
  } catch (error) {
    callback(toFailure(error))
    return
  }
  const { copy, record } = mail
  record.report = (error, given) => {
    registry?.leave(record)
    if (error) release(copy, record)
    // Of a skipped mail, the error only kept it from the transport.
    const { skipped } = record
    const info = skipped ? toSkippedMail(skipped) : given
    if (error && !skipped) callback(record.handedOver ? (error as Error) : toFailure(error), info)
    else {
      addSentInfo(info, record)
      callback(null, info)
    }
  }
  const refused = registry?.enter(record)
  if (refused) {
    record.settle(refused)
    return
  }
  try {
    send(copy, (error, info) => record.settle(error, info))
  } catch (error) {
    if (record.handedOver || !record.settle(error)) throw error
  }
}

interface TakenMail {
  /** What Nodemailer gets; none of the caller's Postmark headers is in it. */
  readonly copy: Record<string, unknown>
  readonly record: MailRecord
}

function takeMail(message: unknown): TakenMail {
  const { postmark, ...copy } = cloneMessage(Object(message ?? {}))
  const split = splitHeaders(copy.headers)
  const record = new MailRecord(postmark, split.postmark)
  // An object of its own, since Nodemailer writes a transport's default headers into it.
  copy.headers = joinHeaders(split.rest, [])
  carryRecord(copy, record)
  record.unreadable = checkContents(copy)
  // Before the compile step refuses it, Nodemailer would look for images in it.
  if (record.unreadable.some(({ path }) => path === 'html')) copy.html = undefined
  holdErrors(contentStreams(copy))
  toByteStreams(copy)
  return { copy, record }
}

/** Ends the streams of a mail that failed: those of the message, and what the steps have made of them. */
function release(copy: Record<string, unknown>, { mail }: MailRecord): void {
  releaseStreams(contentStreams(copy))
  if (mail) releaseStreams(contentStreams((mail as { data: Record<string, unknown> }).data))
}
