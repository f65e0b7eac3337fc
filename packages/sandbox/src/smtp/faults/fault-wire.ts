import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { type SecureContext, TLSSocket } from 'node:tls'

const FINAL_DOT = '\r\n.\r\n'
/** The limit of smtp-server. A client that sends longer lines is not an SMTP client. */
const MAX_LINE_BYTES = 16 * 1024

/** The server's end of a connection: lines and bodies in, replies out, TLS, and the ways to break it. */
export class FaultWire {
  readonly #raw: Socket
  readonly #gone = new AbortController()
  #socket: Socket
  #unread: Buffer = Buffer.alloc(0)
  #wake = (): void => {}

  constructor(socket: Socket) {
    this.#raw = socket
    this.#socket = socket
    socket.setNoDelay(true)
    socket.once('close', () => this.#gone.abort())
    this.#listen(socket)
  }

  /** The next line without its line break; undefined once the client has gone. */
  async readLine(): Promise<string | undefined> {
    for (;;) {
      const end = this.#unread.indexOf('\n')
      if (end >= 0) return toText(this.#shift(end + 1)).replace(/\r?\n$/, '')
      if (this.#unread.length > MAX_LINE_BYTES) {
        this.cut()
        // Unread bytes would keep the connection open, and everything that was received in memory.
        await this.discard()
        return undefined
      }
      if (!(await this.#readMore())) return undefined
    }
  }

  /** Waits until this many bytes of a body have arrived. Returns false if it ends or the client leaves before. */
  async waitForBody(count: number): Promise<boolean> {
    while (this.#unread.length < count) {
      const last = toText(this.#unread.subarray(-FINAL_DOT.length))
      if (last === FINAL_DOT || last === '.\r\n') return false
      if (!(await this.#readMore())) return false
    }
    return true
  }

  /**
   * Reads up to the final dot and removes the dot-stuffing. Returns undefined if the client leaves before.
   * @param maxBytes a longer body is cut a little after this
   */
  async readBody(maxBytes: number = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> {
    const chunks: Buffer[] = []
    let kept = 0
    // The dot of an empty body has no line before it.
    this.#unread = Buffer.concat([Buffer.from('\r\n'), this.#unread])
    for (;;) {
      const end = this.#unread.indexOf(FINAL_DOT)
      if (end >= 0) {
        const bytes = Buffer.concat([...chunks, this.#shift(end + FINAL_DOT.length)])
        return unstuff(bytes.subarray(2, -3))
      }
      // Four bytes stay, because the final dot may come in two parts.
      if (this.#unread.length > 4) {
        const chunk = this.#shift(this.#unread.length - 4)
        if (kept <= maxBytes) chunks.push(chunk)
        kept += chunk.length
      }
      if (!(await this.#readMore())) return undefined
    }
  }

  /** Reads whatever comes, until the client has gone. */
  async discard(): Promise<void> {
    do this.#unread = Buffer.alloc(0)
    while (await this.#readMore())
  }

  /** Reads nothing, so that the client's writes pile up, until the connection is gone. */
  async hold(): Promise<void> {
    if (!this.#gone.signal.aborted) await once(this.#gone.signal, 'abort')
  }

  write(text: string): void {
    if (this.#socket.writable) this.#socket.write(text, 'latin1')
  }

  /** Waits, but no longer than the connection lasts. */
  async sleep(ms: number): Promise<void> {
    await setTimeout(ms, undefined, { signal: this.#gone.signal }).catch(() => {})
  }

  /** Switches to TLS as the server. Discards what came in clear after STARTTLS. Returns false if it fails. */
  async startTls(secureContext: SecureContext): Promise<boolean> {
    for (const event of EVENTS) this.#raw.off(event, this.#onChange)
    this.#unread = Buffer.alloc(0)
    this.#socket = new TLSSocket(this.#raw, { isServer: true, secureContext })
    this.#listen(this.#socket)
    const secured = once(this.#socket, 'secure', { signal: this.#gone.signal })
    return secured.then(
      () => true,
      () => false,
    )
  }

  /** Closes with FIN, after what was written. */
  cut(): void {
    this.#socket.end()
  }

  /** Closes the connection after what was written, whether or not the client closes its end. */
  hangUp(): void {
    this.#socket.destroySoon()
  }

  /** Resets the connection (RST), after what was written. */
  async reset(): Promise<void> {
    await new Promise((resolve) => this.#socket.write('', resolve))
    // libuv does not reset a connection that is closing already, which it is if the client has left first.
    if (this.#socket.writable) this.#raw.resetAndDestroy()
    else this.#raw.destroy()
  }

  readonly #onChange = (): void => this.#wake()

  #listen(socket: Socket): void {
    // Some tests have a client that resets its connection. This is not an error of the server.
    socket.on('error', () => {})
    for (const event of EVENTS) socket.on(event, this.#onChange)
  }

  async #readMore(): Promise<boolean> {
    for (;;) {
      const chunk: Buffer | null = this.#socket.read()
      if (chunk) {
        this.#unread = Buffer.concat([this.#unread, chunk])
        return true
      }
      if (this.#socket.readableEnded || this.#socket.destroyed) return false
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #shift(count: number): Buffer {
    const bytes = this.#unread.subarray(0, count)
    this.#unread = this.#unread.subarray(count)
    return bytes
  }
}

const EVENTS = ['readable', 'end', 'close']
const toText = (bytes: Buffer) => bytes.toString('latin1')

function unstuff(body: Buffer): Buffer {
  return Buffer.from(toText(body).replace(/(^|\r\n)\./g, '$1'), 'latin1')
}
