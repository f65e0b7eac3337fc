import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * A line to a server on the loopback interface that delays every byte in each direction. Opening a connection takes as
 * long as with TCP: SYN, SYN-ACK and ACK cross the line first.
 * @returns a server that does not listen yet
 */
export function createDelayedLine(port: number, delayMs: number): Server {
  return createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
    client.on('error', () => {})
    setTimeout(() => {
      if (client.destroyed) return
      const server = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
      server.on('error', () => {})
      forward(client, server, delayMs)
      forward(server, client, delayMs)
    }, 3 * delayMs)
  })
}

/** Timers of one length fire in the order in which they were set, so the bytes keep theirs. */
function forward(from: Socket, to: Socket, delayMs: number): void {
  from
    .on('data', (chunk) => setTimeout(() => to.destroyed || to.write(chunk), delayMs))
    .on('end', () => setTimeout(() => to.end(), delayMs))
    .on('close', () => setTimeout(() => from.readableEnded || to.destroy(), delayMs))
    .resume()
}
