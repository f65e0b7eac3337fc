import type { SendMailOptions, Transporter } from 'nodemailer'
import { bindHere, claim } from '../context/context.js'
import { runOutsideScopes } from '../context/outside-scopes.js'
import type {
  CompilePlugin,
  MailerLike,
  SendingMail,
  SentCallback,
  Transport,
} from '../message/nodemailer-types.js'
import { refuseForeign } from '../message/refuse-foreign.js'
import { refuseTransport } from '../message/refuse-transport.js'
import type { HeadedMessage } from '../message/shared-head.js'
import { answerMail } from './answer-mail.js'
import { toCompileStep } from './compile-step.js'
import { toFailure } from './failure.js'
import { guardPlugin } from './guard-plugin.js'
import { type MailRegistry, recordOf } from './mail-record.js'
import { noteFields, writeQuickly } from './quick-mail.js'
import { refuseRemaking } from './refuse-remaking.js'
import { sealTransport } from './seal-mail.js'
import { type PostmarkInfo, wasSentBefore } from './sent-info.js'
import type { CompileOptions, CompileSettings } from './settings.js'
import { toCompileSettings } from './settings.js'
import { type MailOptions, releaseMail, type TakenMail, takeMail } from './take-mail.js'

/** `sendMail` after {@link attachPostmark}: the result also has `postmark`. */
export interface PostmarkSender<Info> {
  /** Sends an email. */
  sendMail(message: SendMailOptions): Promise<Info & { readonly postmark: PostmarkInfo }>
  /**
   * Sends an email. The callback runs in the scope, and in every other AsyncLocalStorage, in which sendMail was called.
   */
  sendMail(
    message: SendMailOptions,
    callback: (error: Error | null, info: Info & { readonly postmark: PostmarkInfo }) => void,
  ): void
}

type Callback = (error: Error | null, info?: unknown) => void

/** The parts of a transporter that are changed here. */
interface Mailer extends MailerLike {
  sendMail(message: unknown, callback?: Callback): Promise<unknown> | undefined
  emit(event: string, ...args: unknown[]): boolean
  /** Private, on Nodemailer 7 to 10. */
  readonly _defaults?: unknown
  readonly _userPlugins?: { readonly compile?: CompilePlugin[] }
}

/**
 * Makes a transporter write Postmark headers from the scope, the message and the defaults. The fields of an email are
 * fixed when sendMail is called, the message is not modified, and the result has `info.postmark`. If an email never
 * reaches the transport, its error has the outcome `not-sent`.
 * @example const transporter = attachPostmark(createTransport(options), { defaults: { messageStream: 'outbound' } })
 * @returns the same transporter. Attaching twice has no further effect; the first options apply.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, ERR_POSTMARK_FIELDS, ERR_POSTMARK_TRANSPORT, ERR_POSTMARK_TLS
 */
export function attachPostmark<T extends Transporter<unknown>>(
  transporter: T,
  options?: CompileOptions,
): PostmarkSender<T extends Transporter<infer Info> ? Info : never> & T {
  refuseForeign(transporter)
  attachSettings(transporter, toCompileSettings(options))
  refuseRemaking(transporter)
  return transporter as ReturnType<typeof attachPostmark<T>>
}

/** What our transport provides to its transporters: what it adds to each message, and what counts its emails. */
export interface AttachOptions extends MailOptions {
  readonly registry?: MailRegistry
  /** Called with each plugin that is registered after ours. */
  readonly onPlugin?: ((step: string, plugin: CompilePlugin) => void) | undefined
}

/** The same with settings that have already been checked. */
export function attachSettings(
  transporter: object,
  settings: CompileSettings,
  options: AttachOptions = {},
): void {
  const mailer = transporter as Mailer
  const doubt = refuseTransport(mailer)
  if (doubt) settings.warn(doubt)
  if (!claim(transporter)) return
  sealTransport(mailer.transporter)
  const step = toCompileStep(settings)
  claim(step)
  mailer.use('compile', step)
  const { use, emit } = mailer
  let hasPlugins = false
  mailer.use = (name: string, plugin: CompilePlugin) => {
    hasPlugins = true
    options.onPlugin?.(name, plugin)
    const used = use.call(mailer, name, guardPlugin(plugin))
    moveToEnd(mailer._userPlugins?.compile, step)
    return used
  }
  // A transport emits `idle` while it handles some email, whose request has nothing to do with the listener.
  mailer.emit = (event, ...args) =>
    event === 'idle'
      ? runOutsideScopes(() => emit.call(mailer, event, ...args))
      : emit.call(mailer, event, ...args)
  const sendByNodemailer = mailer.sendMail.bind(mailer)
  const send: Mailer['sendMail'] = (copy, callback) => {
    const quick = hasPlugins || addsDefaults(mailer) ? undefined : takeQuickly(copy as TakenMail['copy'])
    if (!quick) return sendByNodemailer(copy, callback)
    sendQuickly(quick, copy as TakenMail['copy'], mailer, step, callback!)
    return undefined
  }
  const start = (message: unknown, callback: Callback) => {
    let taken: TakenMail
    try {
      taken = takeMail(message, mailer, options)
    } catch (error) {
      callback(toFailure(error))
      return
    }
    startMail(taken, send, options.registry, callback)
  }
  mailer.sendMail = (message, callback) => {
    if (typeof callback === 'function') {
      start(message, bindHere(callback))
      return undefined
    }
    return new Promise((resolve, reject) =>
      start(message, (error, info) => (error ? reject(error) : resolve(info))),
    )
  }
}

/** Whether Nodemailer adds default fields to each message: the second argument of createTransport. */
function addsDefaults({ _defaults }: Mailer): boolean {
  return Object.keys(Object(_defaults)).length > 0
}

/** Plugins may write the content, for example from a template, so our step checks the message that is sent. */
function moveToEnd(plugins: CompilePlugin[] | undefined, step: CompilePlugin): void {
  const index = plugins?.indexOf(step) ?? -1
  if (plugins && index >= 0) plugins.push(...plugins.splice(index, 1))
}

/** The message of a batch mail that does not need to be composed; otherwise notes its fields for later emails. */
function takeQuickly(copy: TakenMail['copy']): HeadedMessage | undefined {
  const record = recordOf({ data: copy })
  const { batch } = record ?? {}
  if (!record || !batch?.isPlain || !batch.content) return undefined
  const { quick } = batch.content
  const message = quick && writeQuickly(quick, copy)
  if (message) record.body = quick.body
  else if (!quick) record.fields = noteFields(copy)
  return message
}

/**
 * What Nodemailer does with an email whose message is already composed: the compile step, then the hand-over to the
 * transport.
 */
function sendQuickly(
  message: HeadedMessage,
  data: TakenMail['copy'],
  mailer: Mailer,
  step: CompilePlugin,
  callback: Callback,
): void {
  const mail: { readonly data: typeof data; readonly mailer: Mailer; message?: HeadedMessage } = {
    data,
    mailer,
  }
  step(mail, (error) => {
    if (error) {
      callback(error)
      return
    }
    mail.message = message
    ;(mailer.transporter as Transport).send(mail as SendingMail, callback as SentCallback)
  })
}

/** Sends the copy of a message and settles once, whatever happens. */
function startMail(
  taken: TakenMail,
  send: Mailer['sendMail'],
  registry: MailRegistry | undefined,
  callback: Callback,
): void {
  // Whatever the functions below reference stays in memory while the email waits, so they reference neither the copy nor
  // more of the email than needed.
  const { record, streams } = taken
  record.report = (error, info) => {
    registry?.leave(record, error)
    if (error || wasSentBefore(info)) releaseMail(streams, record)
    answerMail(record, error, info, callback)
  }
  const refused = taken.refused ?? registry?.enter(record)
  if (refused) {
    record.settle(refused)
    return
  }
  try {
    send(taken.copy, (error, info) => record.settle(error, info))
  } catch (error) {
    if (record.handedOver || !record.settle(error)) throw error
  }
}
