import type { Socket } from 'node:net'
import { createTransport } from '../message/nodemailer.js'
import type { SendingMail } from '../message/nodemailer-types.js'
import type { Redactor } from '../problems/redact.js'
import { redactingLogger } from '../problems/redact.js'
import type { TransportSettings } from '../transport/transport-settings.js'
import type { Login } from './credentials.js'
import type { PortRace } from './race-ports.js'
import { createAuthHandler } from './smtp-auth.js'

/** One SMTP connection: a Nodemailer pool of one, which opens its socket through us. */
export interface Connection {
  /** Port of the socket, once there is one. */
  readonly port: number | undefined
  /** Sends one mail; no other may be under way. */
  send(mail: SendingMail, done: (error: Error | null, info?: object) => void): void
  /** Logs in on a socket of its own, and leaves. */
  verify(): Promise<unknown>
  /** Whether it keeps the process alive: while a mail is under way, and not while it is idle. */
  hold(process: boolean): void
  /** Breaks the connection off at once; a mail under way fails. */
  destroy(): void
}

/** What a connection is made from. */
export interface ConnectionPlan {
  readonly host: string
  readonly race: PortRace
  readonly login: () => Promise<Login>
  readonly redactor: Redactor
  readonly settings: TransportSettings
}

/** Nodemailer's pool, in the words that majors 7 to 10 share. */
interface Pool {
  send(mail: SendingMail, done: (error: Error | null, info?: object) => void): void
  verify(): Promise<unknown>
  close(): void
}

type SocketCallback = (error: Error | null, socket?: object) => void

/** Makes a connection; nothing is opened before the first mail. */
export function createConnection({ host, race, login, redactor, settings }: ConnectionPlan): Connection {
  const tls = !settings.plaintext
  let socket: Socket | undefined
  let port: number | undefined
  let destroyed = false
  let refusal: { readonly response: string; readonly responseCode: number } | undefined
  const onRefused = (reply: NonNullable<typeof refusal>) => {
    refusal = reply
  }
  const withRefusal = (error: Error | null): Error | null => {
    if (error && refusal && !('responseCode' in error)) {
      error.message += `: ${refusal.response}`
      Object.assign(error, { code: 'EAUTH', command: 'AUTH', ...refusal })
    }
    return error
  }
  const open = (_options: unknown, done: SocketCallback) => {
    race.open(settings.timeLimits.raceMs).then(
      (raced) => {
        socket = raced.socket
        port = raced.port
        if (destroyed) socket.destroy()
        done(null, { connection: socket })
      },
      (error: Error) => done(error),
    )
  }
  const options = {
    pool: true,
    host,
    port: settings.ports[0],
    // One connection and one queue, which is ours: only so can a mail be aborted and a connection retired.
    maxConnections: 1,
    maxMessages: Number.POSITIVE_INFINITY,
    // A mail whose connection was lost may have arrived: Nodemailer must not send it again on its own.
    maxRequeues: 0,
    socketTimeout: settings.timeLimits.finalMs,
    greetingTimeout: settings.timeLimits.replyMs,
    secure: false,
    requireTLS: tls,
    ignoreTLS: !tls,
    tls: settings.tls,
    logger: redactingLogger(settings.logger, redactor),
    forceAuth: true,
    // Nodemailer logs the user name, which here is the secret: so it gets neither half of the login.
    auth: { type: 'custom', method: 'POSTMARK', user: 'postmark', pass: 'see customAuth' },
    customAuth: { POSTMARK: createAuthHandler({ tls, host, method: settings.authMethod, login, onRefused }) },
    getSocket: settings.getSocket ?? open,
  }
  const pool = (createTransport as (options: object) => { transporter: unknown })(options).transporter as Pool
  return {
    get port() {
      return port
    },
    send: (mail, done) => pool.send(mail, (error, info) => done(withRefusal(error), info)),
    verify: () =>
      pool.verify().catch((error: Error) => {
        throw withRefusal(error)
      }),
    hold: (alive) => {
      if (alive) socket?.ref()
      else socket?.unref()
    },
    destroy: () => {
      destroyed = true
      pool.close()
      socket?.destroy()
    },
  }
}
