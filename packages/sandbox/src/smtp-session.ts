import type {
  SMTPServerAuthentication,
  SMTPServerDataStream,
  SMTPServerOptions,
  SMTPServerSession,
} from 'smtp-server'
import { type SandboxMail, toSandboxMail } from './sandbox-mail.js'

/** Bytes of a whole message that Postmark's SMTP announces and takes. */
export const SIZE_LIMIT = 20_480_000

type Handlers = Pick<SMTPServerOptions, 'onAuth' | 'onMailFrom' | 'onRcptTo' | 'onData'>

/** The handlers of smtp-server that answer as Postmark does and hand each accepted mail to `keep`. */
export function sessionHandlers(
  serverToken: string | undefined,
  keep: (mail: SandboxMail) => void,
): Handlers {
  // smtp-server merges repeated recipients; the outbox shows each that the client sent.
  const recipients = new WeakMap<SMTPServerSession, string[]>()
  return {
    onAuth(login, _session, done) {
      if (mayLogIn(login, serverToken)) done(null, { user: true })
      else done(null, { message: '5.7.8 Error: authentication failed: ' })
    },
    onMailFrom(_address, session, done) {
      recipients.set(session, [])
      done()
    },
    onRcptTo({ address }, session, done) {
      recipients.get(session)?.push(address)
      done()
    },
    onData(stream, session, done) {
      receive(stream, session).then((id) => done(null, `2.0.0 Ok: queued as ${id}`), done)
    },
  }

  async function receive(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<string> {
    const raw = await readAll(stream)
    const { mailFrom } = session.envelope
    const envelope = { from: mailFrom === false ? '' : mailFrom.address, to: recipients.get(session) ?? [] }
    const mail = toSandboxMail(raw, envelope, session.secure)
    keep(mail)
    return mail.id
  }
}

/**
 * A server token is user name and password alike. Of an SMTP token the sandbox cannot know the secret key,
 * so any will do, with CRAM-MD5 too.
 */
function mayLogIn(login: SMTPServerAuthentication, serverToken: string | undefined): boolean {
  const user = login.username ?? ''
  if (serverToken === undefined && user.startsWith('PM-')) return true
  if (user === '' || (serverToken !== undefined && user !== serverToken)) return false
  return login.method === 'CRAM-MD5' ? login.validatePassword(user) : login.password === user
}

async function readAll(stream: SMTPServerDataStream): Promise<Buffer> {
  let chunks: Buffer[] = []
  for await (const chunk of stream) {
    if (stream.sizeExceeded) chunks = []
    else chunks.push(chunk)
  }
  if (stream.sizeExceeded) {
    throw Object.assign(new Error('5.3.4 Error: message file too big'), { responseCode: 552 })
  }
  return Buffer.concat(chunks)
}
