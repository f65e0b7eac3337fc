import { Duplex } from 'node:stream'

/** The other end of a {@link MemorySocket}. */
export interface SocketPeer {
  /** Called in the tick of the write. If it returns false, further writes wait until {@link MemorySocket.drained}. */
  heard(bytes: Buffer): boolean
  /** The client has ended its side. */
  ended(): void
  /** The socket is destroyed, and data on its way to it is lost. */
  gone(): void
}

/** The client's end of a connection in memory. It has the parts of a net.Socket that clients use. */
export class MemorySocket extends Duplex {
  readonly remoteAddress = '127.0.0.1'
  readonly remoteFamily = 'IPv4'
  readonly remotePort = 587
  readonly localAddress = '127.0.0.1'
  readonly localPort = 50_000
  readonly connecting = false
  readonly pending = false
  /** Everything that the client wrote, whether or not the server has read it. */
  readonly written: Buffer[] = []
  /** Whether it keeps the process alive. */
  referenced = true
  bytesWritten = 0
  bytesRead = 0
  timeout: number | undefined
  readonly #peer: SocketPeer
  #idle: NodeJS.Timeout | undefined
  #held: (() => void) | undefined

  constructor(peer: SocketPeer) {
    super({ allowHalfOpen: false })
    this.#peer = peer
  }

  /** Bytes from the server. */
  deliver(bytes: Buffer): void {
    if (this.destroyed || this.readableEnded) return
    this.bytesRead += bytes.length
    this.#idle?.refresh()
    this.push(bytes)
  }

  /** The server has closed its side. */
  deliverEnd(): void {
    if (!this.destroyed) this.push(null)
  }

  /** The server reads again. */
  drained(): void {
    const held = this.#held
    this.#held = undefined
    held?.()
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#take(chunk, done)
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    this.#take(Buffer.concat(chunks.map(({ chunk }) => chunk)), done)
  }

  #take(bytes: Buffer, done: () => void): void {
    this.bytesWritten += bytes.length
    this.#idle?.refresh()
    this.written.push(bytes)
    // Called immediately, as Node does after a write that the kernel took whole: the next write does not wait.
    if (this.#peer.heard(bytes)) done()
    else this.#held = done
  }

  override _final(done: () => void): void {
    this.#peer.ended()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.setTimeout(0)
    this.#peer.gone()
    done(error)
  }

  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  resetAndDestroy(): this {
    return this.destroy()
  }

  setTimeout(ms: number, onTimeout?: () => void): this {
    clearTimeout(this.#idle)
    this.timeout = ms
    this.#idle = ms > 0 ? setTimeout(() => this.emit('timeout'), ms).unref() : undefined
    if (onTimeout && ms > 0) this.once('timeout', onTimeout)
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  ref(): this {
    this.referenced = true
    return this
  }

  unref(): this {
    this.referenced = false
    return this
  }

  address(): object {
    return { address: this.localAddress, family: this.remoteFamily, port: this.localPort }
  }

  get readyState(): string {
    if (this.destroyed) return 'closed'
    return this.writable ? 'open' : 'readOnly'
  }
}
