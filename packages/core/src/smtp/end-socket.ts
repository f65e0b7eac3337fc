import type { Duplex } from 'node:stream'
import { QUIT_MS } from './time-limits.js'

/** Closes our side of a connection that is no longer used, and waits only briefly for the other side. */
export function endSocket(socket: Duplex): void {
  if (socket.destroyed) return
  const timer = setTimeout(() => socket.destroy(), QUIT_MS)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
  socket.resume()
  socket.end(() => socket.destroy())
}
