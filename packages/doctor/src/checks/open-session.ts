import type { TLSSocket } from 'node:tls'
import {
  type Capabilities,
  type Channel,
  createTlsContext,
  Handshake,
  type Login,
  parseCapabilities,
  type SmtpLog,
} from '@postmark-smtp/core/internal'
import type { Examination } from '../examination.js'
import { probePort, type Target } from './probe-port.js'

/** What is known about an accepted certificate. */
interface TlsFacts {
  readonly protocol: string
  readonly subject: string
  readonly issuer: string
  readonly validTo: Date
}

/** How one session went, up to its login. */
export interface SessionFacts {
  readonly target: Target
  /** What the server offered before TLS; `capabilities` is its last offer. */
  readonly before: Capabilities | undefined
  readonly capabilities: Capabilities | undefined
  readonly ehloName: string
  readonly tls: TlsFacts | undefined
  readonly failure: SessionFailure | undefined
}

/** Where and why a session ended. */
export interface SessionFailure {
  readonly phase: string
  readonly code: string
  readonly responseCode: number | undefined
  readonly message: string
  /** Anchor of docs/errors.md. */
  readonly explanation: string | undefined
  /** The code of the TLS error. @example 'CERT_HAS_EXPIRED' */
  readonly tlsCode: string | undefined
}

/** Stops a handshake at the moment when it would send the credentials. */
class EnoughError extends Error {}

/**
 * Runs the handshake of the transport on a port that greeted: EHLO, STARTTLS, verified TLS, EHLO, and the login if one
 * is given.
 * @param target a port that greeted
 * @param keep takes the channel once it is logged in; by default the session is ended
 */
export async function openSession(
  examination: Examination,
  target: Target,
  login?: Login,
  keep: (channel: Channel) => void = (channel) => channel.quit(),
): Promise<SessionFacts> {
  const { host, port } = target
  const { facts, options, patienceMs, signal, redactor } = examination
  const offers: string[] = []
  let asked = ''
  let channel: Channel | undefined
  let tls: TlsFacts | undefined
  const log: SmtpLog = {
    client: (text) => {
      asked = text
      // The second EHLO goes out once TLS is verified.
      if (channel) tls = readTls(channel)
    },
    server: (text) => void (asked.startsWith('EHLO') && text.startsWith('250') && offers.push(text)),
    info: () => {},
    redact: (text) => redactor.text(text),
  }
  const probe = await probePort(target, patienceMs, signal, log, (found) => {
    channel = found
  })
  const base = { target }
  if (!channel)
    return {
      ...base,
      ...read([]),
      tls: undefined,
      failure: failureOf({ message: probe.text }),
    }
  const stop = () => handshake.abort()
  const open = channel
  const handshake = new Handshake(open, {
    host,
    port,
    tls: facts.plaintext ? undefined : createTlsContext(options.tls),
    authMethod: undefined,
    login: () => {
      if (!login) throw new EnoughError('no login is tried')
      return login
    },
    limitMs: patienceMs,
  })
  signal.addEventListener('abort', stop, { once: true })
  const result = await handshake.run()
  signal.removeEventListener('abort', stop)
  const session = { ...base, ...read(offers), tls }
  if ('capabilities' in result) {
    open.owner = { onEnd: () => {} }
    keep(open)
    return { ...session, failure: undefined }
  }
  const { error } = result.failure
  if (error.cause instanceof EnoughError) return { ...session, failure: undefined }
  return { ...session, failure: failureOf(error) }
}

function read(offers: readonly string[]) {
  const all = offers.map((text) => parseCapabilities({ code: 250, lines: linesOf(text), response: text }))
  const [first = ''] = offers.length > 0 ? linesOf(offers.at(-1)!) : []
  return { before: all[0], capabilities: all.at(-1), ehloName: first.split(' ')[0] ?? '' }
}

function linesOf(response: string): string[] {
  return response.split('\n').map((line) => line.slice(4))
}

function failureOf(error: object): SessionFailure {
  const { phase, code, responseCode, message, explanation, cause } = error as Partial<SessionFailure> & {
    cause?: { code?: string }
  }
  return {
    phase: phase ?? 'connect',
    code: code ?? '',
    responseCode,
    message: message ?? '',
    explanation,
    tlsCode: cause?.code,
  }
}

function readTls({ socket }: Channel): TlsFacts | undefined {
  const secured = socket as Partial<TLSSocket>
  const certificate = secured.getPeerCertificate?.()
  if (!certificate?.valid_to) return undefined
  return {
    protocol: secured.getProtocol?.() ?? 'unknown',
    subject: String(certificate.subject?.CN ?? ''),
    issuer: String(certificate.issuer?.O ?? certificate.issuer?.CN ?? ''),
    validTo: new Date(certificate.valid_to),
  }
}
