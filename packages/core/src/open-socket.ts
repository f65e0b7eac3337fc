/** The one file that opens sockets. */
import { connect, isIP, type Socket } from 'node:net'

const CONNECT_TIMEOUT_MS = 10_000

/** Whether a host is this machine, so that nothing sent to it crosses a network. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '')
  if (name === 'localhost' || name.endsWith('.localhost') || name === '::1') return true
  return isIP(name) === 4 && name.startsWith('127.')
}

/**
 * Connects to a host on the first of several ports that answers.
 * @throws the error of the last port
 */
export async function openSocket(host: string, ports: readonly number[]): Promise<Socket> {
  let failure: unknown
  for (const port of ports) {
    try {
      return await connectTo(host, port)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

function connectTo(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    // Without noDelay, Nodemailer 7 to 9 wait for delayed acknowledgements: a tenth of the rate on loopback.
    const socket = connect({ host, port, noDelay: true })
    const timer = setTimeout(() => socket.destroy(timeoutError(host, port)), CONNECT_TIMEOUT_MS)
    const settle = () => {
      clearTimeout(timer)
      socket.off('error', onError).off('connect', onConnect)
    }
    const onError = (error: Error) => {
      settle()
      reject(error)
    }
    const onConnect = () => {
      settle()
      resolve(socket)
    }
    socket.once('error', onError).once('connect', onConnect)
  })
}

function timeoutError(host: string, port: number): Error {
  const error = new Error(`No connection to ${host}:${port} within ${CONNECT_TIMEOUT_MS / 1000} s`)
  return Object.assign(error, { code: 'ETIMEDOUT' })
}
