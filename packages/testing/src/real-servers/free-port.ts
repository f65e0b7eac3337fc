import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/** A port of the loopback interface that nothing listens on. */
async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await once(server.close(), 'close')
  return port
}

/** How often another process may take the port before the server listens on it. */
const TRIALS = 3

/**
 * Starts a server that cannot choose a port itself. If it does not start, it is started again on another port: between the
 * choice of the port and the start of the server, any connection of the machine may get the port.
 */
export async function startOnFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let trial = 1; ; trial++) {
    try {
      return await start(await findFreePort())
    } catch (error) {
      if (trial === TRIALS) throw error
    }
  }
}
