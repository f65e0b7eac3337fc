import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions, PeerCertificate, SecureContext, TLSSocket } from 'node:tls'
import { checkServerIdentity, connect, createSecureContext } from 'node:tls'
import { toError } from '../problems/to-error.js'
import { isLoopback } from './loopback.js'

/** The TLS state of one transport: the options, and the sessions that can be resumed. */
export interface TlsContext {
  readonly options: ConnectionOptions
  /**
   * The newest session of each name. It is kept for one options object only, because a resumed session is not verified
   * again.
   */
  readonly sessions: Map<string, Buffer>
  /** Trusted certificates and versions as loaded by OpenSSL, once they were read. */
  secure: SecureContext | undefined
}

/** The number of names for which a session is kept. A transport has two hosts. */
const MOST_SESSIONS = 20

/** Creates a context from the option `tls`. */
export function createTlsContext(options: ConnectionOptions = {}): TlsContext {
  return { options, sessions: new Map(), secure: undefined }
}

/**
 * Loads the TLS options, which takes longer than a login on a fast connection. Called while a connection is being
 * opened, when there is nothing else to do. Options that OpenSSL rejects fail in {@link startTls}.
 */
export function prepareTls(context: TlsContext): void {
  try {
    readSecureContext(context)
  } catch {
    // See above.
  }
}

/** Shared by all connections, which have the same options. */
function readSecureContext(context: TlsContext): SecureContext {
  const { options } = context
  context.secure ??= options.secureContext ?? createSecureContext({ minVersion: 'TLSv1.2', ...options })
  return context.secure
}

/**
 * Starts TLS on a socket (RFC 3207), with verification unless the option disables it for a loopback host.
 * @param done called once: with the secured socket, or with the reason why there is none
 * @returns the socket to destroy if the caller no longer wants to wait
 */
export function startTls(
  socket: Duplex,
  host: string,
  context: TlsContext,
  done: (error: Error | undefined, secured: TLSSocket) => void,
): TLSSocket {
  const { options, sessions } = context
  const servername = options.servername ?? (isIP(host) === 0 ? host : '')
  const key = `${host}\n${servername}`
  const session = sessions.get(key)
  const secured = connect({
    ...options,
    secureContext: readSecureContext(context),
    ...(session ? { session } : {}),
    socket,
    host,
    servername,
    // Set explicitly, because the environment may turn off verification everywhere else.
    rejectUnauthorized: !(options.rejectUnauthorized === false && isLoopback(host)),
    checkServerIdentity: (name, certificate) => checkIdentity(name, certificate, host, options),
  })
  let settled = false
  const settle = (error?: Error) => {
    if (settled) return
    settled = true
    secured.off('secureConnect', onSecure).off('close', onClose)
    if (error) sessions.delete(key)
    done(error, secured)
  }
  const onSecure = () => settle()
  const onClose = () => {
    const error = new Error('The connection was closed during the TLS handshake')
    settle(Object.assign(error, { code: 'ECONNRESET' }))
  }
  // Node only tracks the end of its own sockets, and this one may not be one.
  socket.once('close', () => secured.destroy())
  secured.once('secureConnect', onSecure).on('error', settle).once('close', onClose)
  secured.on('session', (ticket) => {
    sessions.delete(key)
    const [oldest] = sessions.keys()
    if (sessions.size >= MOST_SESSIONS && oldest !== undefined) sessions.delete(oldest)
    sessions.set(key, ticket)
  })
  return secured
}

/** The user's function checks in addition to ours. It replaces ours for a loopback host only. */
function checkIdentity(
  name: string,
  certificate: PeerCertificate,
  host: string,
  { checkServerIdentity: check }: ConnectionOptions,
): Error | undefined {
  const refused = check && isLoopback(host) ? undefined : checkServerIdentity(name, certificate)
  if (refused || !check) return refused
  try {
    const answer: unknown = check(name, certificate)
    return answer ? identityError(answer) : undefined
  } catch (error) {
    // An exception would end the process, because the socket calls this.
    return identityError(error)
  }
}

/** The code distinguishes it from a broken connection. */
function identityError(cause: unknown): Error {
  const error = toError(cause)
  if ('code' in error) return error
  return Object.assign(new Error(error.message, { cause }), { code: 'ERR_TLS_CERT_REFUSED' })
}
