import { createTransport } from './nodemailer.js'
import type { SendingMail, SentCallback } from './nodemailer-types.js'
import { openSocket } from './open-socket.js'
import { createAuthHandler, redact } from './smtp-auth.js'
import type { Route, TransportSettings } from './transport-options.js'

/** The connections to one host under one login. */
export interface ConnectionGroup {
  send(mail: SendingMail, done: SentCallback): void
  verify(): Promise<void>
  isIdle(): boolean
  close(): void
}

/** Nodemailer's pool, in the words that majors 7 to 10 share. */
interface Pool {
  send(mail: SendingMail, done: SentCallback): void
  verify(): Promise<unknown>
  isIdle(): boolean
  close(): void
}

/** Creates the connections to a route; none is opened before the first mail. */
export function createConnectionGroup(route: Route, settings: TransportSettings): ConnectionGroup {
  const { host, login } = route
  const tls = !settings.plaintext
  const options = {
    pool: true,
    host,
    port: settings.ports[0],
    ...settings.pool,
    // A mail whose connection was lost may have arrived: Nodemailer must not send it again on its own.
    maxRequeues: 0,
    secure: false,
    requireTLS: tls,
    ignoreTLS: !tls,
    tls: settings.tls,
    logger: settings.logger,
    forceAuth: true,
    // Nodemailer logs the user name, which here is the secret: so it gets neither half of the login.
    auth: { type: 'custom', method: 'POSTMARK', user: 'postmark', pass: 'see customAuth' },
    customAuth: { POSTMARK: createAuthHandler(() => login, tls, settings.authMethod) },
    getSocket: (_options: unknown, done: (error: Error | null, socket?: object) => void) => {
      openSocket(host, settings.ports).then(
        (connection) => done(null, { connection }),
        (error: Error) => done(error),
      )
    },
  }
  const pool = (createTransport as (options: object) => { transporter: unknown })(options).transporter as Pool
  return {
    send: (mail, done) =>
      pool.send(mail, (error, info) => done(error && clean(error, (text) => redact(text, login)), info)),
    verify: async () => {
      try {
        await pool.verify()
      } catch (error) {
        throw clean(error as Error, (text) => redact(text, login))
      }
    },
    isIdle: () => pool.isIdle(),
    close: () => pool.close(),
  }
}

/** Takes the login out of an error: a server may repeat the AUTH line in its reply. */
function clean(error: Error, redacted: (text: string) => string): Error {
  const fields = error as unknown as Record<string, unknown>
  for (const name of ['message', 'stack', 'response', 'command']) {
    const text = fields[name]
    if (typeof text === 'string') fields[name] = redacted(text)
  }
  return error
}
