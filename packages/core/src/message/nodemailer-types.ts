/** The parts of Nodemailer's objects that the compile step needs, as they are in versions 7 to 10. */

/** The argument of a plugin, as far as the types of all versions agree. */
export interface MailLike {
  readonly data: object
}

/** A plugin for `transporter.use('compile', plugin)`. */
export type CompilePlugin = (mail: MailLike, done: (error?: Error | null) => void) => void

/** A message on its way through the plugins of a transporter. */
export interface CompilingMail {
  readonly data: Record<string, unknown>
  readonly mailer?: MailerLike | undefined
  readonly message?: unknown
  resolveContent(data: object, key: string, callback: (error: Error | null, value?: unknown) => void): unknown
}

/** The parts of a transporter that a plugin uses. */
export interface MailerLike {
  readonly options?: unknown
  readonly transporter?: unknown
  use(step: string, plugin: CompilePlugin): unknown
}

/** A compiled mail, as passed to a transport. */
export interface SendingMail {
  readonly data: Record<string, unknown>
  message: unknown
  readonly mailer?: MailerLike | undefined
}

/** The callback with which a transport reports the result of an email. */
export type SentCallback = (error: Error | null, info?: object) => void

/** A Nodemailer transport. */
export interface Transport {
  send(mail: SendingMail, done: SentCallback): void
}

/** A part of a composed message. Members with an underscore are internal, and the same in Nodemailer 7 to 10. */
export interface MimeNode {
  readonly childNodes: readonly MimeNode[]
  readonly keepBcc?: boolean
  content?: unknown
  _raw?: unknown
  readonly _headers?: readonly { readonly key: string; readonly value: unknown }[]
  /** The delimiter between parts. Set once the header block is built. */
  readonly boundary?: string | false
  /** The header lines, without the empty line after them. */
  buildHeaders(): string
}

/** A composed message as a whole. */
export interface Message extends MimeNode {
  getEnvelope(): { readonly from: unknown; readonly to: unknown }
  messageId(): unknown
  setHeader(name: string, value: unknown): unknown
  setRaw(raw: unknown): unknown
  createReadStream(...args: unknown[]): NodeJS.ReadableStream
  /** What `getEnvelope` returns, if it is set. */
  _envelope?: unknown
  /** Transforms applied to the composed stream at the end: a DKIM signer. */
  _processFuncs?: readonly ((input: NodeJS.ReadableStream) => NodeJS.ReadableStream)[]
}
