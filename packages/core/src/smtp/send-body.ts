import type { Readable } from 'node:stream'
import { toError } from '../problems/to-error.js'
import { BodyEncoder } from './body-encoder.js'
import type { Channel } from './channel.js'
import type { Transaction } from './transaction.js'

/** The number of bytes of a body that are written at once and awaited before the next. */
const PART_BYTES = 65_536

/** The result of sending a body. */
export interface BodyListener {
  /** All of it has been sent except this rest, which may share the write that ends the body. */
  onRest(rest: Buffer | undefined): void
  /** It could not be read completely. */
  onError(error: Error): void
}

/**
 * Writes the body of an email part by part. Each part waits until the previous one has been sent, within its own time
 * limit, so that neither a slow reader nor a slow source blocks the session or fills the memory. The end is not written
 * here.
 */
export function sendBody(
  transaction: Transaction,
  channel: Channel,
  limitMs: number,
  listener: BodyListener,
): void {
  const { content } = transaction.shipment
  if (content.kind === 'whole') {
    transaction.size = content.size
    if (content.bytes.length <= PART_BYTES) listener.onRest(content.bytes)
    else writeParts(content.bytes, channel, limitMs, listener)
    return
  }
  let source: Readable
  try {
    source = content.open()
  } catch (error) {
    listener.onError(toError(error))
    return
  }
  pump(source, transaction, channel, limitMs, listener)
}

function writeParts(
  bytes: Buffer,
  channel: Channel,
  limitMs: number,
  listener: BodyListener,
  from = 0,
): void {
  const end = from + PART_BYTES
  if (end >= bytes.length) {
    listener.onRest(bytes.subarray(from))
    return
  }
  channel.limit(limitMs)
  channel.write(bytes.subarray(from, end), () => writeParts(bytes, channel, limitMs, listener, end))
}

/** Reads a stream into the channel. The stream is destroyed if the channel ends first. */
function pump(
  source: Readable,
  transaction: Transaction,
  channel: Channel,
  limitMs: number,
  listener: BodyListener,
): void {
  const encoder = new BodyEncoder()
  let over = false
  let writing = false
  let ended = false
  const finish = (error?: Error) => {
    if (over) return
    over = true
    channel.onClosed = undefined
    source.off('data', onData).off('end', onEnd).off('close', onClose)
    transaction.size = encoder.size + 2
    if (error) {
      source.destroy()
      listener.onError(error)
    } else listener.onRest(undefined)
  }
  const onData = (chunk: unknown) => {
    if (typeof chunk !== 'string' && !Buffer.isBuffer(chunk)) {
      finish(new Error('The content of the email is a stream in object mode'))
      return
    }
    channel.limit(limitMs)
    const bytes = encoder.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
    if (bytes.length === 0) return
    writing = true
    source.pause()
    channel.write(bytes, () => {
      writing = false
      if (ended) finish()
      else source.resume()
    })
  }
  // The end of the body waits until its last part has been sent, so nobody can have seen the end before.
  const onEnd = () => {
    ended = true
    if (!writing) finish()
  }
  // Without an argument it would count as the end of the body.
  const onError = (error: unknown) => finish(toError(error))
  const onClose = () => ended || finish(new Error('The content of the email ended prematurely'))
  channel.limit(limitMs)
  channel.onClosed = () => {
    over = true
    source.destroy()
  }
  source.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose)
}
