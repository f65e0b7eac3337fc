import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline, type Readable } from 'node:stream'
import { isRecord } from '../problems/describe.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { INVALID_REQUEST } from '../problems/problem.js'
import { MESSAGE_LIMITS } from '../vocabulary/limits.js'
import { accessError } from './access-error.js'
import { fetchUrl } from './nodemailer.js'
import type { CompilingMail } from './nodemailer-types.js'
import { HEAD_BYTES, type RawHead, RawStream } from './raw-stream.js'
import { holdErrors, isStream, toByteStream } from './stream-content.js'

/** The content of a message given as `raw`: all of it if it is small, otherwise its beginning. */
export interface RawSource {
  readonly head: Buffer
  /** Reads all of it, with lines in front. Undefined if `head` is everything. */
  readonly open: ((lines: Buffer) => Readable) | undefined
  /** Whether `open` may be called again: a file is read again each time. */
  readonly again: boolean
}

/**
 * Postmark's limit counts attachments in base64 without line breaks, and no headers, but a raw message contains both.
 * So nothing is refused that Postmark might accept.
 */
const MOST_BYTES = Math.ceil((MESSAGE_LIMITS.messageBytes / 76) * 78) + HEAD_BYTES

/** What happens to a message that is too large, which is known immediately or only while it is read. */
export interface RawLimit {
  readonly maxBytes: number
  /** Creates the error that ends the reading. */
  toError(problem: PostmarkProblem): Error
}

/** The limit of an email; `Infinity` if its size does not matter. */
export function rawLimit(unlimited: boolean, toError: RawLimit['toError']): RawLimit {
  return { maxBytes: unlimited ? Number.POSITIVE_INFINITY : MOST_BYTES, toError }
}

/** Reads the beginning of `raw`, and no more if it is large. At most a megabyte is kept. */
export async function openRaw(mail: CompilingMail, limit: RawLimit): Promise<RawSource> {
  const refused = accessError(mail.data)
  if (refused) throw refused
  const { raw } = mail.data
  if (isStream(raw)) return readOnce(raw, limit)
  if (isRecord(raw)) {
    const { path, href, content } = raw
    const url = [href, path].find(
      (place) => typeof place === 'string' && (place === href || /^https?:/i.test(place)),
    )
    if (isStream(content)) return readOnce(content, limit)
    if (!content && typeof url === 'string' && !/^data:/i.test(url))
      return readOnce(fetchUrl(url, raw), limit)
    if (!content && typeof path === 'string' && !/^data:/i.test(path)) return readFile(path, limit)
  }
  return whole(toBytes(await resolve(mail)))
}

function whole(head: Buffer): RawSource {
  return { head, open: undefined, again: true }
}

async function readFile(path: string, limit: RawLimit): Promise<RawSource> {
  const file = await stat(path)
  if (file.isFile() && file.size > limit.maxBytes) throw limit.toError(tooLarge(`has ${file.size} bytes`))
  // One byte more than is kept, so that the end is detected.
  const { head } = await readOnce(createReadStream(path, { end: HEAD_BYTES }), limit)
  if (head.length <= HEAD_BYTES) return whole(head)
  const open = (lines: Buffer) => {
    const stream = new RawStream(
      () => {},
      limit.maxBytes,
      () => limit.toError(tooLarge()),
    )
    stream.release(lines)
    return join(createReadStream(path), stream)
  }
  return { head, open, again: true }
}

function readOnce(source: Readable, limit: RawLimit): Promise<RawSource> {
  return new Promise((resolve, reject) => {
    const onHead = ({ bytes, isWhole }: RawHead) => {
      const open = (lines: Buffer) => {
        stream.release(lines)
        return stream
      }
      stream.off('error', reject)
      resolve({ head: bytes, open: isWhole ? undefined : open, again: isWhole })
      if (isWhole) stream.destroy()
    }
    const stream = new RawStream(onHead, limit.maxBytes, () => limit.toError(tooLarge()))
    stream.on('error', reject)
    join(toByteStream(source), stream)
  })
}

/** Connects both, so that each ends with the other. An error waits for the reader of the stream. */
function join(source: Readable, stream: RawStream): RawStream {
  holdErrors([stream])
  return pipeline(source, stream, () => {})
}

function resolve({ data, resolveContent }: CompilingMail): Promise<unknown> {
  return new Promise((done, fail) => {
    resolveContent.call({ data }, data, 'raw', (error, value) => (error ? fail(error) : done(value)))
  })
}

function toBytes(value: unknown): Buffer {
  if (typeof value === 'string') return Buffer.from(value)
  if (Buffer.isBuffer(value)) return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  throw new TypeError('raw must be a string, bytes, a stream, or an object with content, path or href')
}

function tooLarge(found = `has more than ${MOST_BYTES} bytes`): PostmarkProblem {
  return {
    path: 'raw',
    found,
    limit: `at most ${MESSAGE_LIMITS.messageBytes} bytes`,
    cure: 'Link to large files.',
    severity: 'error',
    errorCode: INVALID_REQUEST,
  }
}
