import { Transform, type TransformCallback } from 'node:stream'

/** How much of a raw message is read before it is sent. Its headers must end within it. */
export const HEAD_BYTES = 1_048_576

/** What a {@link RawStream} has read before it pauses. */
export interface RawHead {
  readonly bytes: Buffer
  /** Whether there is no more. */
  readonly isWhole: boolean
}

/**
 * A raw message while it is sent. It reads the beginning, waits until lines are put in front, and then passes
 * everything on, up to a limit. It never keeps more than the beginning.
 */
export class RawStream extends Transform {
  readonly #onHead: (head: RawHead) => void
  readonly #maxBytes: number
  readonly #tooLarge: () => Error
  #head: Buffer[] | undefined = []
  #size = 0
  /** Continues reading, or ends. */
  #goOn: TransformCallback | undefined

  /** @param onHead called once, unless the source fails before */
  constructor(onHead: (head: RawHead) => void, maxBytes: number, tooLarge: () => Error) {
    super()
    this.#onHead = onHead
    this.#maxBytes = maxBytes
    this.#tooLarge = tooLarge
  }

  /** Puts lines in front and passes the message on. */
  release(lines: Buffer): void {
    const head = this.#head ?? []
    this.#head = undefined
    if (lines.length > 0) this.push(lines)
    for (const chunk of head) this.push(chunk)
    this.#goOn?.()
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#size += chunk.length
    if (this.#size > this.#maxBytes) {
      done(this.#tooLarge())
      return
    }
    if (!this.#head) {
      done(null, chunk)
      return
    }
    this.#head.push(chunk)
    if (this.#size <= HEAD_BYTES) {
      done()
      return
    }
    this.#wait(done, false)
  }

  override _flush(done: TransformCallback): void {
    if (this.#head) this.#wait(done, true)
    else done()
  }

  #wait(goOn: TransformCallback, isWhole: boolean): void {
    this.#goOn = goOn
    const bytes = Buffer.concat(this.#head ?? [])
    this.#head = [bytes]
    this.#onHead({ bytes, isWhole })
  }
}
