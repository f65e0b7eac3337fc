import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import { loopbackCertificate } from '../certificate.js'
import { MECHANISMS } from '../greeting.js'
import { type Fault, FaultPlan, type FaultScript } from './fault-script.js'
import { FaultSession } from './fault-session.js'

/** Options of {@link startFaultServer}. */
export interface FaultServerOptions {
  /** Which fault strikes where (default: none). */
  readonly script?: FaultScript
  /** The mechanisms that EHLO lists (default PLAIN, LOGIN, CRAM-MD5). Any login is accepted. */
  readonly mechanisms?: readonly string[]
  /** Called when a fault is about to strike. */
  readonly onFault?: (fault: Fault, connection: number) => void
}

/** An email that the server accepted. */
export interface AcceptedMail {
  /** The bytes after DATA, dot-unstuffed, without the final dot. */
  readonly raw: Buffer
  readonly envelope: { readonly from: string; readonly to: readonly string[] }
  /** The connection, from 0. */
  readonly connection: number
}

/** A connection that a client opened. */
export interface FaultConnection {
  /** Every line of a command or a login, in order. Lines of a body are not included. */
  readonly commands: readonly string[]
  /** The faults that struck. */
  readonly faults: readonly Fault[]
  /** Whether it uses TLS. */
  readonly secure: boolean
  /** Whether it is still open. */
  readonly open: boolean
  /** How many bytes the server read, TLS included. */
  readonly bytes: number
}

/** A running server that fails as its script says. */
export interface FaultServer extends AsyncDisposable {
  readonly host: '127.0.0.1'
  readonly port: number
  /** The server's own certificate in PEM, for `tls: { ca }`; valid for localhost and 127.0.0.1. */
  readonly ca: string
  /** The emails that the server accepted, oldest first. Each is added before the server replies to its final dot. */
  readonly accepted: readonly AcceptedMail[]
  /** The connections so far, oldest first. */
  readonly connections: readonly FaultConnection[]
  /** The commands of all connections. */
  readonly commands: readonly string[]
  /** Ends every connection and stops listening. After that, `accepted` does not change. */
  close(): Promise<void>
}

/**
 * Starts an SMTP server that can fail at any phase. smtp-server has no hooks at EHLO, STARTTLS, the TLS handshake and
 * the 354.
 * @example
 * await using server = await startFaultServer({ script: [{ phase: 'dot', kind: 'cut', accepted: true }] })
 * // the first email is accepted, but never answered
 * server.accepted.length // 1
 */
export async function startFaultServer(options: FaultServerOptions = {}): Promise<FaultServer> {
  const { script = [], mechanisms = MECHANISMS, onFault = () => {} } = options
  const { cert, key } = await loopbackCertificate()
  const certificate = createSecureContext({ cert, key })
  const accepted: AcceptedMail[] = []
  const connections: FaultConnection[] = []
  const sockets = new Set<Socket>()

  const server = createServer((socket) => {
    const index = connections.length
    const commands: string[] = []
    const plan = new FaultPlan(script, index)
    const connection = {
      commands,
      faults: plan.struck,
      secure: false,
      open: true,
      get bytes() {
        return socket.bytesRead
      },
    }
    connections.push(connection)
    sockets.add(socket)
    socket.once('close', () => {
      connection.open = false
      sockets.delete(socket)
    })
    const session = new FaultSession(socket, plan, {
      mechanisms,
      certificate,
      wantsLogin: false,
      logIn: () => true,
      struck: (fault) => onFault(fault, index),
      heard: (line) => void commands.push(line),
      secured: () => {
        connection.secure = true
      },
      accept: (raw, envelope) => {
        accepted.push({ raw, envelope, connection: index })
        return `250 2.0.0 Ok: queued as ${accepted.length.toString(16).toUpperCase().padStart(8, '0')}`
      },
    })
    void session.run()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  const close = async () => {
    const closed = [...sockets].map((socket) => once(socket.destroy(), 'close'))
    if (server.listening) closed.push(once(server.close(), 'close'))
    await Promise.all(closed)
  }
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    ca: cert,
    accepted,
    connections,
    get commands() {
      return connections.flatMap(({ commands }) => commands)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
