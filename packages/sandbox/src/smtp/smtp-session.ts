import type { StreamType } from '@postmark-smtp/core'
import type { SMTPServerDataStream, SMTPServerOptions, SMTPServerSession } from 'smtp-server'
import type { PostmarkServer } from '../server/postmark-server.js'
import type { LoggedIn, LoginCheck } from './logins.js'
import { sizeProblem, TOO_BIG } from './size-problem.js'
import { takeMail } from './take-mail.js'

type Handlers = Pick<SMTPServerOptions, 'onAuth' | 'onMailFrom' | 'onRcptTo' | 'onData'>

/**
 * The handlers of smtp-server that answer as Postmark does and hand each accepted mail to the server.
 * @param hostType the host that the listener replaces; undefined if it replaces both
 */
export function sessionHandlers(
  server: PostmarkServer,
  checkLogin: LoginCheck,
  hostType: StreamType | undefined,
): Handlers {
  // smtp-server merges repeated recipients. The outbox shows every one that the client sent.
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
      receive(stream, session).then((text) => done(null, text), done)
    },
  }

  async function receive(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<string> {
    const raw = await readAll(stream, server)
    const { mailFrom } = session.envelope
    const envelope = { from: mailFrom === false ? '' : mailFrom.address, to: recipients.get(session) ?? [] }
    const tokenStream = logins.get(session)?.stream
    const { code, text } = takeMail(server, raw, envelope, { secure: session.secure, hostType, tokenStream })
    if (code === 250) return text
    throw Object.assign(new Error(text), { responseCode: code })
  }
}

/** What a chunk takes in memory in addition to its bytes. A client may send the bytes one by one. */
const CHUNK_BYTES = 200

/** Uses events, which are faster than an asynchronous iterator. */
function readAll(stream: SMTPServerDataStream, server: PostmarkServer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = []
    let held = 0
    let problem: string | undefined
    const letGo = () => {
      chunks = []
      server.release(held)
      held = 0
    }
    stream.on('data', (chunk: Buffer) => {
      if (problem !== undefined) return
      const bytes = chunk.length + CHUNK_BYTES
      if (stream.sizeExceeded) problem = TOO_BIG
      else if (!server.reserve(bytes, held))
        problem = '5.3.4 Error: too much mail is being received at the same time'
      if (problem !== undefined) return letGo()
      held += bytes
      chunks.push(chunk)
    })
    stream.once('error', (error) => {
      letGo()
      reject(error)
    })
    stream.once('end', () => {
      const raw = Buffer.concat(chunks)
      letGo()
      problem ??= sizeProblem(raw)
      if (problem === undefined) resolve(raw)
      else reject(Object.assign(new Error(problem), { responseCode: 552 }))
    })
  })
}
