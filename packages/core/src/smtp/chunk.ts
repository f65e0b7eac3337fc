import type { EncodedBody } from './body-encoder.js'

const LF = 10
const DOT = 46
const LINE_END = Buffer.from('\r\n')
const HEAD_END = Buffer.from('\r\n\r\n')

/** A message as BDAT takes it: as it is, without dot-stuffing, and with its last line break. */
export function toChunk({ bytes, size }: EncodedBody): Buffer {
  const chunk = bytes.length + 2 === size ? bytes : unstuff(bytes, size - 2)
  return Buffer.concat([chunk, LINE_END], size)
}

/** Where the header block ends, with the empty line after it; undefined where there is nothing after it. */
export function endOfHead(chunk: Buffer): number | undefined {
  const end = chunk.indexOf(HEAD_END) + HEAD_END.length
  return end < HEAD_END.length || end === chunk.length ? undefined : end
}

/** Takes one dot from each line that begins with one. */
function unstuff(bytes: Buffer, size: number): Buffer {
  const out = Buffer.allocUnsafe(size)
  let length = 0
  let previous = LF
  for (const byte of bytes) {
    if (byte !== DOT || previous !== LF) out[length++] = byte
    // Of two dots at the start of a line, only the first one is taken.
    previous = byte
  }
  return out.subarray(0, length)
}
