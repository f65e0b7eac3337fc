import { MemorySocket } from './memory-socket.js'
import type { VirtualClock } from './virtual-clock.js'

/** How many bytes the connection buffers while the server does not read. */
const WINDOW_BYTES = 65_536

/** The server's end of a connection. What the client writes arrives immediately; what the server sends takes time. */
export class ScriptedWire {
  readonly socket: MemorySocket
  readonly #clock: VirtualClock
  readonly #latencyMs: number
  readonly #heard: (bytes: Buffer) => void
  readonly #cancels = new Set<() => void>()
  #state: 'open' | 'shut' | 'deaf' | 'ended' | 'gone' = 'open'
  /** Bytes arrive in the order in which they were sent. */
  #arrivalMs = 0
  #unreadBytes = 0

  /** @param heard called in the tick of the client's write */
  constructor(clock: VirtualClock, latencyMs: number, heard: (bytes: Buffer) => void) {
    this.#clock = clock
    this.#latencyMs = latencyMs
    this.#heard = heard
    this.socket = new MemorySocket({
      heard: (bytes) => this.#hear(bytes),
      ended: () => this.end(),
      gone: () => this.#leave(),
    })
  }

  /** Whether the client is still there, as far as the server knows. */
  get open(): boolean {
    return this.#state !== 'gone'
  }

  /** Whether the server still reads. */
  get serving(): boolean {
    return this.#state === 'open' || this.#state === 'shut'
  }

  /** Sends bytes; `arrived` is called when the client has them. */
  say(text: string, arrived?: () => void): void {
    if (this.#state !== 'open') return
    const bytes = Buffer.from(text, 'latin1')
    this.#send(() => {
      arrived?.()
      this.socket.deliver(bytes)
    })
  }

  /** Calls a function later, unless the connection has ended by then. */
  later(ms: number, act: () => void): void {
    const cancel = this.#clock.schedule(ms, () => {
      this.#cancels.delete(cancel)
      act()
    })
    this.#cancels.add(cancel)
  }

  /** Neither reads nor sends anything from now on. */
  stall(): void {
    if (this.serving) this.#state = 'deaf'
  }

  /** Closes this side (FIN) after what was sent, and continues to read. */
  shut(): void {
    if (this.#state !== 'open') return
    this.#state = 'shut'
    this.#send(() => this.socket.deliverEnd())
  }

  /** Closes this side (FIN) after what was sent, and stops reading. */
  end(): void {
    if (!this.open || this.#state === 'ended') return
    this.#state = 'ended'
    this.#send(() => this.socket.deliverEnd())
  }

  /** Resets the connection (RST) after what was sent. */
  reset(): void {
    if (!this.open) return
    this.#state = 'ended'
    this.#send(() => {
      const error = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' })
      this.socket.destroy(error)
    })
  }

  #hear(bytes: Buffer): boolean {
    if (this.serving) this.#heard(bytes)
    // Bytes for a side that is closed are answered with a reset.
    if (this.#state === 'ended') this.reset()
    if (this.#state !== 'deaf') return true
    this.#unreadBytes += bytes.length
    return this.#unreadBytes < WINDOW_BYTES
  }

  #send(act: () => void): void {
    this.#arrivalMs = Math.max(this.#arrivalMs, this.#clock.nowMs + this.#latencyMs)
    this.later(this.#arrivalMs - this.#clock.nowMs, act)
  }

  #leave(): void {
    this.#state = 'gone'
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
  }
}
