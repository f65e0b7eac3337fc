import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { PostmarkError } from '@postmark-smtp/core'
import type { SMTPServer } from 'smtp-server'

/** The address that the sandbox listens on. It accepts any token, so no other machine may reach it. */
export const HOST = '127.0.0.1'

/** A server that is listening. */
export interface Listener {
  readonly port: number
  /** Ends every connection and stops listening. */
  close(): Promise<void>
}

/**
 * Starts a server.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS if the port cannot be used
 */
export async function listen(server: SMTPServer, port: number, address: string): Promise<Listener> {
  const sockets = new Set<Socket>()
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  // A client that breaks off is not an error of the sandbox.
  server.on('error', () => {})
  try {
    server.listen(port, address)
    await once(server.server, 'listening')
  } catch (error) {
    throw portError(port, address, error)
  }
  let closing: Promise<void> | undefined
  return {
    port: (server.server.address() as AddressInfo).port,
    close() {
      closing ??= closeServer(server, sockets)
      return closing
    },
  }
}

async function closeServer(server: SMTPServer, sockets: ReadonlySet<Socket>): Promise<void> {
  const stopped = once(server.server, 'close')
  await new Promise<void>((resolve) => server.close(resolve))
  // smtp-server has said 421 by now. A client that does not hang up must not keep the process alive.
  for (const socket of sockets) socket.destroySoon()
  await stopped
}

/** The error for a port that cannot be used, with what to do. */
export function portError(port: number, address: string, cause: unknown): PostmarkError {
  const code = (cause as NodeJS.ErrnoException).code
  const [what, hint] =
    code === 'EADDRINUSE'
      ? [
          'another process listens there',
          'Stop that process (perhaps an older sandbox), or use another port. Port 0 picks a free one.',
        ]
      : code === 'EACCES'
        ? ['the system does not permit it', 'Use a port above 1023, or 0 for a free one.']
        : [String((cause as Error).message), 'Use a port from 1024 to 65535, or 0 for a free one.']
  const message = `The sandbox cannot listen on ${address}:${port}: ${what}. ${hint}`
  return new PostmarkError('ERR_POSTMARK_OPTIONS', message, { hint, cause })
}
