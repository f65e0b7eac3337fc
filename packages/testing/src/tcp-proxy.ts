import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { closeServer } from './close-server.js'

/** How a {@link TcpProxy} treats new connections. */
export interface TcpProxyOptions {
  /** The delay of every byte in each direction; 25 makes a round trip of 50 ms. The connection set-up waits as with TCP. */
  readonly delayMs?: number
  /** `refuse` resets immediately, `hold` accepts but never forwards a byte (default `forward`). */
  readonly mode?: 'forward' | 'refuse' | 'hold'
  /** Resets the client after it has sent this many bytes. The target gets these bytes, then an end. */
  readonly cutAfterBytes?: number
  /** Called with what the client sends, before it is forwarded. */
  readonly onData?: (chunk: Buffer) => void
}

/** A running proxy. */
export interface TcpProxy extends AsyncDisposable {
  readonly host: '127.0.0.1'
  readonly port: number
  /** The number of connections so far. */
  readonly connections: number
  /** Replaces the options for new connections. */
  change(options: TcpProxyOptions): void
  /** Ends every connection and stops listening. */
  close(): Promise<void>
}

/**
 * Starts a TCP proxy in front of a server on the loopback interface, to make its connections slow, dead or broken.
 * @example
 * await using proxy = await startTcpProxy(server, { delayMs: 25 })
 * const { host, port } = proxy // instead of the server's
 */
export async function startTcpProxy(
  target: { readonly host?: string; readonly port: number },
  options: TcpProxyOptions = {},
): Promise<TcpProxy> {
  let current = options
  let connections = 0
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    return socket.setNoDelay(true).once('close', () => sockets.delete(socket))
  }
  // Half-open, so that an end travels with the delay of the bytes before it.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    connections += 1
    keep(client)
    const { mode = 'forward', delayMs = 0, cutAfterBytes, onData } = current
    if (mode === 'refuse') client.resetAndDestroy()
    if (mode === 'hold') client.resume()
    if (mode !== 'forward') return
    const { host = '127.0.0.1', port } = target
    // SYN, SYN-ACK and ACK cross the line before the target sees the connection.
    after(3 * delayMs, () => {
      if (client.destroyed) return
      const upstream = keep(connect({ host, port, allowHalfOpen: true }))
      if (onData) client.on('data', onData)
      forward(client, upstream, delayMs, cutAfterBytes)
      forward(upstream, client, delayMs)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  const close = () => closeServer(server, sockets)
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections
    },
    change(changed) {
      current = changed
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function forward(from: Socket, to: Socket, delayMs: number, cutAfterBytes = Number.POSITIVE_INFINITY): void {
  let left = cutAfterBytes
  from.on('data', (chunk) => {
    const part = chunk.subarray(0, left)
    left -= part.length
    after(delayMs, () => {
      if (!to.destroyed && !to.write(part)) from.pause()
    })
    if (left > 0) return
    from.resetAndDestroy()
    after(delayMs, () => to.end())
  })
  to.on('drain', () => from.resume())
  from.on('end', () => after(delayMs, () => to.end()))
  // A reset on one side resets the other one; after an end, it is already closed.
  from.on('close', () => after(delayMs, () => void (from.readableEnded || to.destroy())))
  from.resume()
}

/** Timers with the same delay fire in the order in which they were set, so the bytes keep their order. */
function after(delayMs: number, act: () => void): void {
  if (delayMs === 0) act()
  else setTimeout(act, delayMs)
}
