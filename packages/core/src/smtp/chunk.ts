import type { EncodedBody } from './body-encoder.js'

const LF = 10
const DOT = 46
const LINE_END = Buffer.from('\r\n')
const HEAD_END = Buffer.from('\r\n\r\n')

/** A message for BDAT: unchanged, without dot-stuffing, and with its last line break. */
export function toChunk({ bytes, size }: EncodedBody): Buffer {
  const chunk = bytes.length + 2 === size ? bytes : unstuff(bytes, size - 2)
  return Buffer.concat([chunk, LINE_END], size)
}

/** The end of the header block, including the empty line after it. Undefined if nothing follows. */
export function endOfHead(chunk: Buffer): number | undefined {
  const end = chunk.indexOf(HEAD_END) + HEAD_END.length
  return end < HEAD_END.length || end === chunk.length ? undefined : end
}

/** Removes one dot from each line that starts with one. */
function unstuff(bytes: Buffer, size: number): Buffer {
  const out = Buffer.allocUnsafe(size)
  let length = 0
  let previous = LF
  for (const byte of bytes) {
    if (byte !== DOT || previous !== LF) out[length++] = byte
    // If a line starts with two dots, only the first one is removed.
    previous = byte
  }
  return out.subarray(0, length)
}
