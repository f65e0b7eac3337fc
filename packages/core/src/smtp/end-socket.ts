import type { Duplex } from 'node:stream'
import { QUIT_MS } from './time-limits.js'

/** Ends our side of a connection that nobody listens to any more, and does not wait long for the other one. */
export function endSocket(socket: Duplex): void {
  if (socket.destroyed) return
  const timer = setTimeout(() => socket.destroy(), QUIT_MS)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
  socket.resume()
  socket.end(() => socket.destroy())
}
