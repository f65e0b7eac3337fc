import type {
  SMTPServerAuthentication,
  SMTPServerDataStream,
  SMTPServerOptions,
  SMTPServerSession,
} from 'smtp-server'
import { type ReceivedMail, readMail } from './received-mail.js'

/** An error that refuses a command; `responseCode` is the SMTP code of the reply (default 550). */
export interface SmtpRefusal extends Error {
  responseCode?: number
}

/** Options of {@link startSmtpServer}. */
export interface SmtpServerOptions {
  /** Whether STARTTLS is offered (default true). */
  readonly tls?: boolean
  /** Who may log in: a list of accounts, anyone (`'any'`, the default), or no AUTH at all (`'none'`). */
  readonly auth?: readonly { readonly user: string; readonly pass: string }[] | 'any' | 'none'
  /** The mechanisms that EHLO lists, in this order (default PLAIN, LOGIN, CRAM-MD5). */
  readonly authMethods?: readonly string[]
  /** The largest email that is accepted (default 100 MB), which EHLO announces. */
  readonly maxBytes?: number
  /** Called for each RCPT TO; an error refuses that recipient. */
  readonly onRcpt?: (address: string) => SmtpRefusal | undefined
  /** Called after the final dot; a string is the text of the 250 reply, an error refuses the email. */
  readonly onData?: (mail: ReceivedMail) => string | SmtpRefusal | undefined
}

/** A login that a client tried. */
export interface SmtpLogin {
  readonly user: string | undefined
  readonly method: string
}

type Handlers = Pick<SMTPServerOptions, 'onAuth' | 'onMailFrom' | 'onRcptTo' | 'onData'>

/** The handlers of smtp-server, which apply the options and pass each accepted mail to `keep`. */
export function sessionHandlers(
  options: SmtpServerOptions,
  keep: (mail: ReceivedMail) => void,
  logins: SmtpLogin[],
): Handlers {
  // smtp-server merges repeated recipients, but a test of what the client sent must see each one.
  const recipients = new WeakMap<SMTPServerSession, string[]>()
  return {
    onAuth(login, _session, done) {
      const { username: user, method } = login
      logins.push({ user, method })
      if (mayLogIn(options.auth ?? 'any', login)) done(null, { user: { user, method } })
      else done(null, { message: '5.7.8 Error: authentication failed: ' })
    },
    onMailFrom(_address, session, done) {
      recipients.set(session, [])
      done()
    },
    onRcptTo({ address }, session, done) {
      const refusal = options.onRcpt?.(address)
      if (refusal === undefined) recipients.get(session)?.push(address)
      done(refusal)
    },
    onData(stream, session, done) {
      receive(stream, session).then((reply) => done(null, reply), done)
    },
  }

  async function receive(stream: SMTPServerDataStream, session: SMTPServerSession) {
    const raw = await readAll(stream)
    if (stream.sizeExceeded) throw Object.assign(new Error('5.3.4 Message too large'), { responseCode: 552 })
    const { mailFrom } = session.envelope
    const mail = readMail(raw, {
      envelope: { from: mailFrom === false ? '' : mailFrom.address, to: recipients.get(session) ?? [] },
      user: session.user?.user,
      authMethod: session.user?.method,
      secure: session.secure,
      sessionId: session.id,
    })
    const answer = options.onData?.(mail)
    if (answer instanceof Error) throw answer
    keep(mail)
    return answer
  }
}

function mayLogIn(auth: NonNullable<SmtpServerOptions['auth']>, login: SMTPServerAuthentication): boolean {
  if (typeof auth === 'string') return auth === 'any'
  const account = auth.find(({ user }) => user === login.username)
  if (account === undefined) return false
  return login.method === 'CRAM-MD5' ? login.validatePassword(account.pass) : login.password === account.pass
}

async function readAll(stream: SMTPServerDataStream): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}
