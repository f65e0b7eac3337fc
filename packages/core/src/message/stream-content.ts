import { PassThrough, pipeline, type Readable, Transform } from 'node:stream'
import { isRecord } from '../problems/describe.js'
import { isPlain } from './clone-message.js'

const CONTENTS = ['text', 'html', 'watchHtml', 'amp', 'icalEvent', 'raw'] as const
const LISTS = ['attachments', 'alternatives'] as const

type Data = Readonly<Record<string, unknown>>

/** Whether a message has content that can only be read once. Nodemailer 7 to 9 send it empty the second time. */
export function hasStreamContent(data: Data): boolean {
  return contentStreams(data).length > 0
}

/** The streams in the content of a message. */
export function contentStreams(data: Data): Readable[] {
  const found: Readable[] = []
  visitStreams(data, (stream) => {
    found.push(stream)
    return stream
  })
  return found
}

/**
 * Takes over the streams of a copied message. Their errors no longer end the process, and each becomes a byte stream,
 * except in objects that the copy shares with the caller.
 */
export function takeStreams(copy: Data): readonly Readable[] {
  const streams = contentStreams(copy)
  if (streams.length === 0) return NONE
  holdErrors(streams)
  visitStreams(copy, toByteStream)
  return contentStreams(copy)
}

const NONE: readonly Readable[] = []

/** Calls back for each stream in the content of a message, and replaces it with the result. */
function visitStreams(data: Data, visit: (stream: Readable) => Readable): void {
  for (const field of CONTENTS) {
    visitField(data, field, visit)
    visitHolder(data[field], visit)
  }
  for (const field of LISTS) {
    const list = data[field]
    if (Array.isArray(list)) for (const each of list) visitHolder(each, visit)
    else visitHolder(list, visit)
  }
}

function visitHolder(holder: unknown, visit: (stream: Readable) => Readable): void {
  if (!isRecord(holder) || isStream(holder)) return
  visitField(holder, 'content', visit)
  visitField(holder, 'raw', visit)
  if (isRecord(holder.raw) && !isStream(holder.raw)) visitField(holder.raw, 'content', visit)
}

function visitField(holder: Data, field: string, visit: (stream: Readable) => Readable): void {
  const stream = holder[field]
  if (!isStream(stream)) return
  const result = visit(stream)
  if (result !== stream && isPlain(holder)) (holder as Record<string, unknown>)[field] = result
}

/** Whether Nodemailer would treat a value as a stream. */
export function isStream(value: unknown): value is Readable {
  return typeof (value as Partial<Readable> | null | undefined)?.pipe === 'function'
}

/** Shared by all streams, so that it keeps nothing in memory. */
const ignore = (): void => {}

/**
 * Keeps streams from ending the process if they fail while nobody reads them: while the email waits for a suppression
 * store, or after it was rejected.
 */
export function holdErrors(streams: readonly Readable[]): void {
  for (const stream of streams) {
    if (typeof stream.on === 'function' && !stream.listeners('error').includes(ignore)) {
      stream.on('error', ignore)
    }
  }
}

/** Ends streams that will not be read, as Nodemailer 10 does when an email fails. Otherwise a file would stay open. */
export function releaseStreams(streams: readonly Readable[]): void {
  for (const stream of streams) if (typeof stream.destroy === 'function') stream.destroy()
}

/** Why content can no longer be read. Without this check, Nodemailer 7 to 9 would wait for its end forever. */
export function readingError(content: unknown): Error | undefined {
  if (content instanceof Error) return content
  if (!isStream(content)) return undefined
  if (content.errored) return content.errored
  if (!content.destroyed && !content.readableEnded) return undefined
  const error = new Error('A stream in the message was read or closed before the email was composed.')
  return Object.assign(error, { code: 'ESTREAM' })
}

/**
 * Wraps a stream in object mode, otherwise unchanged, as a stream of bytes or strings. Nodemailer pipes it into a byte
 * stream, which throws at an object where nobody can catch it.
 */
export function toByteStream(stream: Readable): Readable {
  if (readingError(stream)) return stream
  if (stream.readableObjectMode)
    return join(stream, new Transform({ writableObjectMode: true, transform: toBytes }))
  // Nodemailer 7 to 9 cannot collect a stream of strings.
  return stream.readableEncoding ? join(stream, new PassThrough()) : stream
}

function join(stream: Readable, bytes: Transform): Readable {
  return pipeline(stream, bytes, ignore).on('error', ignore)
}

function toBytes(
  chunk: unknown,
  _encoding: string,
  done: (error: Error | null, bytes?: unknown) => void,
): void {
  if (typeof chunk === 'string' || chunk instanceof Uint8Array) done(null, chunk)
  else
    done(
      new TypeError(
        `A stream in the message produced a value of type ${typeof chunk}; it must produce strings or bytes.`,
      ),
    )
}
