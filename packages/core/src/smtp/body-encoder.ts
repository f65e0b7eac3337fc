const LF = 10
const CR = 13
const DOT = 46

/** The end of a body. The last line break of the body is part of it (RFC 5321 §4.1.1.4). */
export const END_OF_BODY = '\r\n.\r\n'

/**
 * Prepares a message for DATA in one pass: every line break, including a lone CR or LF, becomes CRLF, and a dot at the
 * start of a line is doubled. No body can then contain a bare CR or LF, or a line with a single dot, which SMTP
 * smuggling needs. The last line break is held back, because it is part of {@link END_OF_BODY}.
 */
export class BodyEncoder {
  /** Bytes so far, with line breaks as CRLF except the one that is held back, and without doubled dots. */
  size = 0
  /** Whether there was a byte above 127, which must be declared as `BODY=8BITMIME`. */
  has8Bit = false
  #atLineStart = true
  #afterCr = false
  #breakIsHeld = false

  /** Encodes the next part. */
  push(chunk: Buffer): Buffer {
    if (chunk.length === 0) return chunk
    // At most, each byte becomes two, and one line break may be held back from before.
    const extra = this.#countExtra(chunk)
    const out = Buffer.allocUnsafe(chunk.length + extra + 2)
    let length = 0
    let atLineStart = this.#atLineStart
    let afterCr = this.#afterCr
    let held = this.#breakIsHeld
    let dots = 0
    let bits = 0
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index]!
      bits |= byte
      if (byte === LF && afterCr) {
        afterCr = false
        continue
      }
      if (held) {
        out[length++] = CR
        out[length++] = LF
        held = false
      }
      afterCr = byte === CR
      if (byte === CR || byte === LF) {
        held = true
        atLineStart = true
        continue
      }
      if (atLineStart) {
        atLineStart = false
        if (byte === DOT) {
          out[length++] = DOT
          dots++
        }
      }
      out[length++] = byte
    }
    this.#atLineStart = atLineStart
    this.#afterCr = afterCr
    this.#breakIsHeld = held
    this.size += length - dots
    if (bits > 127) this.has8Bit = true
    return out.subarray(0, length)
  }

  /** How many extra bytes a part may need: for line breaks of one byte, and for dots at the start of a line. */
  #countExtra(chunk: Buffer): number {
    let extra = 0
    for (let index = chunk.indexOf(LF); index >= 0; index = chunk.indexOf(LF, index + 1))
      extra += chunk[index + 1] === DOT ? 2 : 1
    for (let index = chunk.indexOf(CR); index >= 0; index = chunk.indexOf(CR, index + 1))
      extra += chunk[index + 1] === DOT ? 2 : 1
    return extra + (this.#atLineStart ? 1 : 0)
  }
}

/** A whole message, ready for DATA except for {@link END_OF_BODY}. */
export interface EncodedBody {
  readonly bytes: Buffer
  /** As RFC 1870 counts it: with CRLF line breaks, without doubled dots. */
  readonly size: number
  readonly has8Bit: boolean
}

/** Encodes a whole message. A message that needs no change is not copied. */
export function encodeBody(message: Buffer): EncodedBody {
  const bits = bitsOfFit(message)
  if (bits !== undefined)
    return { bytes: message.subarray(0, message.length - 2), size: message.length, has8Bit: bits > 127 }
  const encoder = new BodyEncoder()
  const bytes = encoder.push(message)
  return { bytes, size: encoder.size + 2, has8Bit: encoder.has8Bit }
}

/** The bits that occur in a message that needs no change and ends with CRLF. Undefined for any other. */
function bitsOfFit(message: Buffer): number | undefined {
  const { length } = message
  if (length < 2 || message[length - 1] !== LF || message[0] === DOT) return undefined
  let bits = 0
  let previous = 0
  for (let index = 0; index < length; index++) {
    const byte = message[index]!
    if (byte === LF) {
      if (previous !== CR || message[index + 1] === DOT) return undefined
    } else if (previous === CR) return undefined
    bits |= byte
    previous = byte
  }
  return bits
}
