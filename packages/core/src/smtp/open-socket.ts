/** The one file that opens sockets. */
import { connect, isIP, type Socket } from 'node:net'

/** Whether a host is this machine, so that nothing sent to it crosses a network. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '')
  if (name === 'localhost' || name.endsWith('.localhost') || name === '::1') return true
  return isIP(name) === 4 && name.startsWith('127.')
}

/** A socket on its way to a greeting. */
export interface OpeningSocket {
  /** The socket once the server has greeted, with the greeting put back for Nodemailer to read. */
  readonly greeted: Promise<Socket>
  /** Settles when TCP is there. */
  readonly connected: Promise<void>
  cancel(): void
}

const LONGEST_GREETING_BYTES = 8_192

/** Connects to a port and waits for the greeting. */
export function openSocket(host: string, port: number): OpeningSocket {
  // Without noDelay, Nodemailer 7 to 9 wait for delayed acknowledgements: a tenth of the rate on loopback.
  const socket = connect({ host, port, noDelay: true })
  let greeting = Buffer.alloc(0)
  const connected = new Promise<void>((resolve) => {
    socket.once('connect', resolve)
  })
  const greeted = new Promise<Socket>((resolve, reject) => {
    const settle = () => {
      socket.off('data', onData).off('error', onError).off('close', onClose)
      // Nodemailer adds its own listener at once; until then an error must not end the process.
      socket.on('error', () => {})
    }
    const onData = (chunk: Buffer) => {
      greeting = Buffer.concat([greeting, chunk])
      if (!greeting.includes('\n') && greeting.length < LONGEST_GREETING_BYTES) return
      settle()
      socket.pause()
      const line = greeting.toString('latin1').split(/\r?\n/)[0]!
      if (!/^220[ -]/.test(line)) {
        socket.destroy()
        reject(greetingError(line))
        return
      }
      socket.unshift(greeting)
      resolve(socket)
    }
    const onError = (error: Error) => {
      settle()
      reject(error)
    }
    const onClose = () => {
      settle()
      reject(
        Object.assign(new Error('The connection was closed before the greeting'), { code: 'ECONNECTION' }),
      )
    }
    socket.on('data', onData).once('error', onError).once('close', onClose)
  })
  greeted.catch(() => {})
  return { greeted, connected, cancel: () => socket.destroy() }
}

function greetingError(line: string): Error {
  const code = /^([45]\d\d)[ -]/.exec(line)?.[1]
  const error = new Error(`The server greeted with ${JSON.stringify(line.slice(0, 200))}`)
  if (code === undefined) return Object.assign(error, { code: 'EPROTOCOL' })
  return Object.assign(error, { code: 'EGREETING', response: line, responseCode: Number(code) })
}
