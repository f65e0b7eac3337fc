import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { closeServer } from './close-server.js'

/** How a {@link TcpProxy} treats the connections that come from now on. */
export interface TcpProxyOptions {
  /** What every byte waits in each direction; 25 make a round trip of 50 ms. The set-up waits as TCP would. */
  readonly delayMs?: number
  /** `refuse` resets at once, `hold` accepts and never forwards a byte (default `forward`). */
  readonly mode?: 'forward' | 'refuse' | 'hold'
  /** Resets the client once this many bytes came from it; the target gets them, then an end. */
  readonly cutAfterBytes?: number
  /** Called with what the client says, before it is forwarded. */
  readonly onData?: (chunk: Buffer) => void
}

/** A running proxy. */
export interface TcpProxy extends AsyncDisposable {
  readonly host: '127.0.0.1'
  readonly port: number
  /** How many connections came so far. */
  readonly connections: number
  /** Replaces the options for the connections that come from now on. */
  change(options: TcpProxyOptions): void
  /** Ends every connection and stops listening. */
  close(): Promise<void>
}

/**
 * Starts a TCP proxy before a server on the loopback interface: a line that is slow, dead or torn.
 * @example
 * await using proxy = await startTcpProxy(server, { delayMs: 25 })
 * const { host, port } = proxy // in the place of the server's
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
    // SYN, SYN-ACK and ACK cross the line before the target hears of the connection.
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
  // A reset on one side tears the other one; after an end, it is closed already.
  from.on('close', () => after(delayMs, () => void (from.readableEnded || to.destroy())))
  from.resume()
}

/** Timers of one length fire in the order in which they were set, so the bytes keep theirs. */
function after(delayMs: number, act: () => void): void {
  if (delayMs === 0) act()
  else setTimeout(act, delayMs)
}
