import type { StreamType } from '@postmark-smtp/core'
import type { SMTPServerDataStream, SMTPServerOptions, SMTPServerSession } from 'smtp-server'
import type { PostmarkServer } from '../server/postmark-server.js'
import type { LoggedIn, LoginCheck } from './logins.js'

type Handlers = Pick<SMTPServerOptions, 'onAuth' | 'onMailFrom' | 'onRcptTo' | 'onData'>

/**
 * The handlers of smtp-server that answer as Postmark does and hand each accepted mail to the server.
 * @param host the host that the listener stands for; undefined where it stands for both
 */
export function sessionHandlers(
  server: PostmarkServer,
  checkLogin: LoginCheck,
  host: StreamType | undefined,
): Handlers {
  // smtp-server merges repeated recipients; the outbox shows each that the client sent.
  const recipients = new WeakMap<SMTPServerSession, string[]>()
  const logins = new WeakMap<SMTPServerSession, LoggedIn>()
  return {
    onAuth(login, session, done) {
      const loggedIn = checkLogin(login)
      if (!loggedIn) return done(null, { message: '5.7.8 Error: authentication failed: ' })
      logins.set(session, loggedIn)
      done(null, { user: true })
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
    const tokenStream = logins.get(session)?.stream
    return server.receive(raw, envelope, { secure: session.secure, host, tokenStream }).id
  }
}

/** By events, which cost less than an asynchronous iterator. */
function readAll(stream: SMTPServerDataStream): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => {
      if (stream.sizeExceeded) chunks = []
      else chunks.push(chunk)
    })
    stream.once('error', reject)
    stream.once('end', () => {
      if (!stream.sizeExceeded) return resolve(Buffer.concat(chunks))
      reject(Object.assign(new Error('5.3.4 Error: message file too big'), { responseCode: 552 }))
    })
  })
}
