/** The one file that imports Nodemailer at run time; everything here has one spelling for majors 7 to 10. */
import { createTransport } from 'nodemailer'
import addressparser from 'nodemailer/lib/addressparser/index.js'
import * as base64Module from 'nodemailer/lib/base64/index.js'
import * as mimeFunctions from 'nodemailer/lib/mime-funcs/index.js'
import * as qpModule from 'nodemailer/lib/qp/index.js'
import { isRecord } from '../problems/describe.js'

interface MimeFunctions {
  encodeWords(value: string, encoding: 'Q' | 'B', maxLength: number, encodeAll: boolean): string
  foldLines(line: string, length: number): string
}

// On 7 to 9 the module is CommonJS with methods, which an ESM import sees as `default` alone.
const mime: MimeFunctions =
  (mimeFunctions as unknown as { default?: MimeFunctions }).default ??
  (mimeFunctions as unknown as MimeFunctions)

export { createTransport }

/** A transform stream of Nodemailer, as far as it is driven here: without the stream. */
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
 * Encodes content as Nodemailer\u2019s own encoder of that major does it, in one go: a stream around it takes longer than
 * the work. `binary` is for quoted-printable outside of text, where a lone CR or LF is data.
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

/** A header line as Nodemailer would write it: encoded where it must be (RFC 2047), then folded. */
export function toHeaderLine(name: string, value: string): string {
  return mime.foldLines(`${name}: ${mime.encodeWords(value, 'Q', 52, true)}`, 76)
}

interface ParsedAddress {
  readonly address?: string
  readonly group?: readonly ParsedAddress[]
}

const parse = addressparser as unknown as (text: string) => readonly ParsedAddress[]

/**
 * Lists the addresses of a message as Nodemailer reads them, each once: strings, objects, arrays and groups of
 * To, Cc and Bcc, or of `envelope` where the message has one.
 * @example listRecipients({ to: 'Team: a@example.com, b@example.com;' }) // ['a@example.com', 'b@example.com']
 */
export function listRecipients(message: object): readonly string[] {
  const { envelope, headers } = message as { envelope?: unknown; headers?: unknown }
  const found = new Set<string>()
  const own = isRecord(envelope) ? envelope : (message as Readonly<Record<string, unknown>>)
  const others = isRecord(envelope) ? {} : addressHeaders(headers)
  // A field of the message takes the place of a header of the same name.
  for (const field of ['to', 'cc', 'bcc']) collect(own[field] || others[field], found)
  return [...found]
}

function addressHeaders(headers: unknown): Readonly<Record<string, unknown>> {
  const pairs: readonly (readonly [string, unknown])[] = Array.isArray(headers)
    ? headers.filter(isRecord).map((pair) => [String(pair.key), pair.value] as const)
    : isRecord(headers)
      ? typeof headers.key === 'string' && 'value' in headers
        ? [[headers.key, headers.value]]
        : Object.entries(headers)
      : []
  const found: Record<string, unknown[]> = { to: [], cc: [], bcc: [] }
  for (const [key, value] of pairs) found[key.trim().toLowerCase()]?.push(value)
  return found
}

function collect(value: unknown, found: Set<string>, seen: Set<unknown> = new Set()): void {
  if (typeof value === 'string') {
    for (const entry of parse(value)) collectParsed(entry, found)
  } else if (Array.isArray(value)) {
    if (seen.has(value)) return
    seen.add(value)
    for (const each of value) collect(each, found, seen)
  } else if (isRecord(value) && value.address) found.add(String(value.address))
}

function collectParsed(entry: ParsedAddress, found: Set<string>): void {
  if (entry.address) found.add(entry.address)
  else if (Array.isArray(entry.group)) for (const member of entry.group) collectParsed(member, found)
}
