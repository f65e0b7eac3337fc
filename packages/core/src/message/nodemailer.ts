/** The only file that imports Nodemailer at run time. Everything here is the same for versions 7 to 10. */
import type { Readable } from 'node:stream'
import { createTransport } from 'nodemailer'
import addressparser from 'nodemailer/lib/addressparser/index.js'
import * as base64Module from 'nodemailer/lib/base64/index.js'
import nmfetch from 'nodemailer/lib/fetch/index.js'
import MailComposer from 'nodemailer/lib/mail-composer/index.js'
import * as mimeFunctions from 'nodemailer/lib/mime-funcs/index.js'
import * as qpModule from 'nodemailer/lib/qp/index.js'

interface MimeFunctions {
  encodeWords(value: string, encoding: 'Q' | 'B', maxLength: number, encodeAll: boolean): string
  foldLines(line: string, length: number): string
}

// In versions 7 to 9 the module is CommonJS with methods, which an ESM import only sees as `default`.
const mime: MimeFunctions =
  (mimeFunctions as unknown as { default?: MimeFunctions }).default ??
  (mimeFunctions as unknown as MimeFunctions)

export { createTransport }

/** The parts of a Nodemailer transform stream that are used here, without the stream. */
interface Encoder {
  push(chunk: Buffer | string | null): boolean
  _transform(chunk: Buffer, encoding: 'buffer', done: (error?: Error | null) => void): void
  _flush(done: (error?: Error | null) => void): void
}
type EncoderClass = new (options: object) => Encoder
interface EncoderModule {
  readonly Encoder: EncoderClass
  readonly default?: { readonly Encoder: EncoderClass }
}

const encoderOf = (module: unknown): EncoderClass =>
  (module as EncoderModule).default?.Encoder ?? (module as EncoderModule).Encoder
const ENCODERS: Readonly<Record<'base64' | 'quoted-printable', EncoderClass>> = {
  base64: encoderOf(base64Module),
  'quoted-printable': encoderOf(qpModule),
}

/**
 * Encodes content like Nodemailer\u2019s own encoder of that version, synchronously: a stream around it takes longer
 * than the work. `binary` is for quoted-printable content that is not text, in which a lone CR or LF is data.
 */
export function encodeContent(encoding: keyof typeof ENCODERS, content: Buffer, binary: boolean): Buffer[] {
  const encoder = new ENCODERS[encoding]({ binary })
  const parts: Buffer[] = []
  encoder.push = (chunk) => {
    if (chunk !== null) parts.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
    return true
  }
  let failure: Error | null | undefined
  const done = (error?: Error | null) => {
    failure ??= error
  }
  encoder._transform(content, 'buffer', done)
  encoder._flush(done)
  if (failure) throw failure
  return parts
}

/** Fetches a URL the way Nodemailer does for content, with redirects and the content's `httpHeaders` and `tls`. */
export function fetchUrl(url: string, { httpHeaders, tls }: Readonly<Record<string, unknown>>): Readable {
  return (nmfetch as unknown as (url: string, options: object) => Readable)(url, {
    headers: httpHeaders,
    tls,
  })
}

/** A header line as Nodemailer would write it: encoded where it must be (RFC 2047), then folded. */
export function toHeaderLine(name: string, value: string): string {
  return mime.foldLines(`${name}: ${mime.encodeWords(value, 'Q', 52, true)}`, 76)
}

/** A mailbox or a group, as parsed by Nodemailer. */
export interface ParsedAddress {
  readonly address?: string
  readonly group?: readonly ParsedAddress[]
}

/** Parses a list of addresses with Nodemailer. */
export const parseAddresses: (text: string) => readonly ParsedAddress[] = addressparser as unknown as (
  text: string,
) => readonly ParsedAddress[]

interface Composer {
  compile(): { buildHeaders(): string }
  getAttachments(findRelated: boolean): { readonly attached: readonly { readonly filename?: string }[] }
}
type PartList = 'attachments' | 'alternatives'

const compose = (list: PartList, part: object): Composer =>
  new (MailComposer as unknown as new (message: object) => Composer)({ [list]: [part] })

/** The name that Nodemailer gives an attachment, without reading its content. Undefined if there is none. */
export function composeFileName(attachment: object): string | undefined {
  // What cannot be composed cannot be sent either, and fails with Nodemailer's own error.
  return attempt(() => compose('attachments', attachment).getAttachments(false).attached[0]?.filename)
}

/** The header lines that Nodemailer writes for one part, without reading its content. */
export function composePartHeaders(list: PartList, part: object): string {
  return attempt(() => compose(list, part).compile().buildHeaders()) ?? ''
}

function attempt<T>(step: () => T): T | undefined {
  try {
    return step()
  } catch {
    return undefined
  }
}
