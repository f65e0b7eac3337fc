import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { loopbackCertificate } from './certificate.js'
import { createMailbox } from './mailbox.js'
import type { ReceivedMail } from './received-mail.js'
import { type SmtpLogin, type SmtpServerOptions, sessionHandlers } from './smtp-session.js'

/** A running SMTP server on the loopback interface. */
export interface SmtpServer extends AsyncDisposable {
  readonly host: '127.0.0.1'
  readonly port: number
  /** The server's own certificate in PEM, for `tls: { ca }`; valid for localhost and 127.0.0.1. */
  readonly ca: string
  /** The emails accepted so far, oldest first. */
  readonly mails: readonly ReceivedMail[]
  /** The number of connections opened so far. */
  readonly connections: number
  /** The largest number of connections that were open at the same time. */
  readonly mostConnections: number
  /** The logins that clients have tried, including refused ones. */
  readonly logins: readonly SmtpLogin[]
  /**
   * Resolves to the first email for which the predicate is true; waits for it if necessary.
   * @throws Error that lists what arrived, after `timeoutMs` (default 5000) or at close
   */
  waitFor(predicate: (mail: ReceivedMail) => boolean, timeoutMs?: number): Promise<ReceivedMail>
  /** Resolves when no connection is open. */
  whenDisconnected(): Promise<void>
  /** Forgets the emails. */
  clear(): void
  /** Ends every connection and stops listening. */
  close(): Promise<void>
}

/**
 * Starts a real SMTP server for a test, on a free port.
 * @example
 * await using server = await startSmtpServer()
 * const { host, port, ca } = server
 * await createTransport({ host, port, requireTLS: true, tls: { ca }, auth }).sendMail(message)
 * server.mails[0].headerLines
 */
export async function startSmtpServer(options: SmtpServerOptions = {}): Promise<SmtpServer> {
  const { cert, key } = await loopbackCertificate()
  const mailbox = createMailbox()
  const sockets = new Set<Socket>()
  const logins: SmtpLogin[] = []
  let connections = 0
  let mostConnections = 0
  const server = new SMTPServer({
    ...sessionHandlers(options, mailbox.add, logins),
    cert,
    key,
    logger: false,
    size: options.maxBytes ?? 100 * 1024 * 1024,
    authMethods: [...(options.authMethods ?? ['PLAIN', 'LOGIN', 'CRAM-MD5'])],
    authOptional: options.auth === 'none',
    // Postmark also offers AUTH before STARTTLS: a client must not rely on the server to refuse.
    allowInsecureAuth: true,
    disabledCommands: [
      ...(options.tls === false ? ['STARTTLS'] : []),
      ...(options.auth === 'none' ? ['AUTH'] : []),
    ],
    disableReverseLookup: true,
    maxAllowedUnauthenticatedCommands: Number.POSITIVE_INFINITY,
    closeTimeout: 1,
  })
  // Some tests reset the client's connection on purpose; that is not a fault of the server.
  server.on('error', () => {})
  server.server.on('connection', (socket: Socket) => {
    connections += 1
    sockets.add(socket)
    mostConnections = Math.max(mostConnections, sockets.size)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')

  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= closeServer(server, sockets).then(mailbox.close)
    return closing
  }
  return {
    host: '127.0.0.1',
    port: (server.server.address() as AddressInfo).port,
    ca: cert,
    mails: mailbox.mails,
    logins,
    get connections() {
      return connections
    },
    get mostConnections() {
      return mostConnections
    },
    whenDisconnected: async () => {
      for (const socket of sockets) await once(socket, 'close')
    },
    waitFor: mailbox.waitFor,
    clear: mailbox.clear,
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function closeServer(server: SMTPServer, sockets: ReadonlySet<Socket>): Promise<void> {
  const stopped = once(server.server, 'close')
  await new Promise<void>((resolve) => server.close(resolve))
  // By now smtp-server has sent 421; a client that does not hang up must not block the test.
  for (const socket of sockets) socket.destroySoon()
  await stopped
}
