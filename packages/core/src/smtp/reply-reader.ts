/** A server's reply (RFC 5321 §4.2). */
export interface Reply {
  /** @example 250 */
  readonly code: number
  /** The text of each line, without the code and separator. */
  readonly lines: readonly string[]
  /** The reply as it was sent, without secrets, its lines joined by a line feed. @example '250 2.0.0 Ok: queued as 4D5E6F' */
  readonly response: string
}

/**
 * How much a server may send before it counts as broken. The EHLO reply of a busy server has some 20 lines of 40 bytes.
 */
const MOST_LINES = 256
const LONGEST_LINE = 4_096
const MOST_BYTES = 65_536

/** Bytes that are not a reply, which has three digits and a line end within the limits. The session ends with it. */
export class ReplyError extends Error {}

/**
 * Turns the bytes from a server into replies. Anything else throws {@link ReplyError}, and nothing is read after that.
 */
export class ReplyReader {
  /** The part of an incomplete line received so far; bytes as latin1 characters. */
  #rest = ''
  #lines: string[] = []
  #bytes = 0
  #code = ''
  readonly #redact: (text: string) => string

  /** @param redact removes secrets from text for errors and results, because a server may echo them */
  constructor(redact: (text: string) => string) {
    this.#redact = redact
  }

  /** Adds the next bytes. */
  push(chunk: Buffer): void {
    this.#rest += chunk.toString('latin1')
  }

  /** Whether there are bytes that do not belong to a complete reply. */
  get hasRest(): boolean {
    return this.#rest !== '' || this.#lines.length > 0
  }

  /** The next complete reply, if there is one. @throws ReplyError */
  next(): Reply | undefined {
    for (;;) {
      const end = this.#rest.indexOf('\n')
      if (end < 0) {
        if (this.#rest.length > LONGEST_LINE) throw new ReplyError('a line of more than 4,096 bytes')
        return undefined
      }
      const line = this.#rest.slice(0, this.#rest.charCodeAt(end - 1) === 13 ? end - 1 : end)
      this.#rest = this.#rest.slice(end + 1)
      const reply = this.#take(line)
      if (reply) return reply
    }
  }

  #take(line: string): Reply | undefined {
    this.#bytes += line.length
    if (line.length > LONGEST_LINE || this.#bytes > MOST_BYTES || this.#lines.length >= MOST_LINES)
      throw new ReplyError('a reply without end')
    if (!/^[2-5]\d\d(?:[ -]|$)/.test(line))
      throw new ReplyError(`the line ${JSON.stringify(this.#redact(shorten(line)))}`)
    const code = line.slice(0, 3)
    if (this.#lines.length > 0 && code !== this.#code)
      throw new ReplyError(`a line with ${code} in a reply with ${this.#code}`)
    this.#code = code
    this.#lines.push(toText(line))
    if (line[3] === '-') return undefined
    const lines = this.#lines
    this.#lines = []
    this.#bytes = 0
    return {
      code: Number(code),
      lines: lines.map((each) => each.slice(4)),
      response: this.#redact(lines.join('\n')),
    }
  }
}

function shorten(line: string): string {
  return line.length > 100 ? `${line.slice(0, 100)}…` : line
}

/** A reply is ASCII, or UTF-8 if a server uses its own language. */
function toText(line: string): string {
  return /^[\0-\x7f]*$/.test(line) ? line : Buffer.from(line, 'latin1').toString()
}
