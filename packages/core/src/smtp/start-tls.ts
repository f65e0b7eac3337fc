import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions, PeerCertificate, SecureContext, TLSSocket } from 'node:tls'
import { checkServerIdentity, connect, createSecureContext } from 'node:tls'
import { toError } from '../problems/to-error.js'
import { isLoopback } from './loopback.js'

/** What TLS of one transport has in common: the options, and the sessions that can be resumed. */
export interface TlsContext {
  readonly options: ConnectionOptions
  /** The newest session of each name; kept for one options object only, since a resumed session is not verified again. */
  readonly sessions: Map<string, Buffer>
  /** Trusted certificates and versions as OpenSSL holds them, once they were read. */
  secure: SecureContext | undefined
}

/** How many names have a session kept: a transport has two hosts. */
const MOST_SESSIONS = 20

/** Makes a context from the option `tls`. */
export function createTlsContext(options: ConnectionOptions = {}): TlsContext {
  return { options, sessions: new Map(), secure: undefined }
}

/**
 * Reads what TLS needs of its options, which takes longer than a login on a fast line: called while a connection is
 * being made, when there is nothing else to do. Options that OpenSSL refuses fail in {@link startTls}.
 */
export function prepareTls(context: TlsContext): void {
  try {
    readSecureContext(context)
  } catch {
    // See above.
  }
}

/** The same for every connection: all have the same options. */
function readSecureContext(context: TlsContext): SecureContext {
  const { options } = context
  context.secure ??= options.secureContext ?? createSecureContext({ minVersion: 'TLSv1.2', ...options })
  return context.secure
}

/**
 * Puts TLS on a socket (RFC 3207), verified unless the option says otherwise for a loopback host.
 * @param done called once: with the secured socket, or with why there is none
 * @returns the socket to destroy when nobody wants to wait any longer
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
    // Said here, since the environment may switch verification off for everything that does not say it.
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
  // Node follows the end of its own sockets only; this one may be another's.
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

/** A function of the user's checks in addition to ours; it takes the place of ours for a loopback host only. */
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
    // What it throws would end the process: this is called from the socket.
    return identityError(error)
  }
}

/** Has a code, by which it is told from a connection that broke. */
function identityError(cause: unknown): Error {
  const error = toError(cause)
  if ('code' in error) return error
  return Object.assign(new Error(error.message, { cause }), { code: 'ERR_TLS_CERT_REFUSED' })
}
