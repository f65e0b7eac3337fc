const END = Buffer.from('\r\n.\r\n')

/** Reads the body of an email from the bytes of a connection. */
export class BodyReader {
  readonly #chunks: Buffer[] = []
  /** The last bytes so far; the dot of an empty body has no line before it. */
  #tail: Buffer = Buffer.from('\r\n')
  /** The number of bytes so far, including the end. */
  bytes = 0

  /** Reads bytes. Returns what follows the end of the body; undefined if the end has not arrived yet. */
  take(bytes: Buffer): Buffer | undefined {
    const joined = Buffer.concat([this.#tail, bytes])
    const index = joined.indexOf(END)
    if (index < 0) {
      this.#chunks.push(bytes)
      this.bytes += bytes.length
      this.#tail = joined.subarray(-(END.length - 1))
      return undefined
    }
    const taken = index + END.length - this.#tail.length
    this.#chunks.push(bytes.subarray(0, taken))
    this.bytes += taken
    return bytes.subarray(taken)
  }

  /** The body without dot-stuffing and without its end. */
  read(): Buffer {
    const text = Buffer.concat([Buffer.from('\r\n'), ...this.#chunks]).toString('latin1')
    return Buffer.from(text.slice(0, -3).replaceAll('\r\n.', '\r\n').slice(2), 'latin1')
  }
}
