import { once } from 'node:events'
import type { Server, Socket } from 'node:net'

/** Stops listening and closes every connection; resolves when all are closed. */
export async function closeServer(server: Server, sockets: Iterable<Socket>): Promise<void> {
  const closed: Promise<unknown>[] = [...sockets].map((socket) => once(socket.destroy(), 'close'))
  if (server.listening) closed.push(once(server.close(), 'close'))
  await Promise.all(closed)
}
