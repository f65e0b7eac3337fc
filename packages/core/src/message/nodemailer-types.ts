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

/** A transporter, as far as a plugin looks at it. */
export interface MailerLike {
  readonly options?: unknown
  readonly transporter?: unknown
  use(step: string, plugin: CompilePlugin): unknown
}

/** A compiled mail, as a transport gets it. */
export interface SendingMail {
  readonly data: Record<string, unknown>
  message: unknown
  readonly mailer?: MailerLike | undefined
}

/** How a transport reports what became of a mail. */
export type SentCallback = (error: Error | null, info?: object) => void

/** A transport of Nodemailer. */
export interface Transport {
  send(mail: SendingMail, done: SentCallback): void
}

/** A part of a composed message. What begins with an underscore is internal on Nodemailer 7 to 10, and the same there. */
export interface MimeNode {
  readonly childNodes: readonly MimeNode[]
  readonly keepBcc?: boolean
  content?: unknown
  _raw?: unknown
  readonly _headers?: readonly { readonly key: string; readonly value: unknown }[]
  /** What parts are told apart by; set once the header block is built. */
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
  /** What `getEnvelope` returns, where it is set. */
  _envelope?: unknown
  /** What the composed stream goes through at the end: a DKIM signer. */
  _processFuncs?: readonly ((input: NodeJS.ReadableStream) => NodeJS.ReadableStream)[]
}
