import { type SmtpServer, startSmtpServer } from '../smtp-server.js'
import type { SmtpRefusal } from '../smtp-session.js'
import type { RealServer, RealUser } from './real-server.js'
import { REAL_SERVER_BYTES, REFUSALS } from './real-server.js'

/** Options of {@link startCountedSmtpServer}. */
export interface CountedSmtpServerOptions {
  /** Who may log in, with PLAIN, LOGIN or CRAM-MD5. */
  readonly users: readonly RealUser[]
}

/**
 * Starts smtp-server in this process, with the same interface as the other real servers.
 * @example await using server = await startCountedSmtpServer({ users: [{ user: 'token', pass: 'token' }] })
 */
export async function startCountedSmtpServer({ users }: CountedSmtpServerOptions): Promise<RealServer> {
  const server: SmtpServer = await startSmtpServer({
    auth: users,
    maxBytes: REAL_SERVER_BYTES,
    onRcpt: (address) => refusal(address, { [REFUSALS.recipient]: 550, [REFUSALS.recipientForNow]: 450 }),
    onData: ({ envelope }) => refusal(envelope.from, { [REFUSALS.body]: 554, [REFUSALS.bodyForNow]: 451 }),
  })
  const taken = () =>
    server.mails.map((mail) => ({
      from: mail.envelope.from,
      subject: mail.header('Subject') ?? '',
      recipients: mail.envelope.to.length,
    }))
  const log = () =>
    taken()
      .map((mail) => `${JSON.stringify(mail)}\n`)
      .join('')
  const find = (pattern: RegExp) => pattern.exec(log())
  return {
    host: server.host,
    port: server.port,
    ca: server.ca,
    get log() {
      return log()
    },
    waitForLog: async (pattern) => {
      await server.waitFor(() => find(pattern) !== null)
      return find(pattern)!
    },
    taken,
    waitForTaken: async (from) => {
      await server.waitFor(({ envelope }) => envelope.from === from)
    },
    connections: () => server.connections,
    close: server.close,
    [Symbol.asyncDispose]: server.close,
  }
}

/** The refusal for an address with one of these beginnings. */
function refusal(address: string, codes: Readonly<Record<string, number>>): SmtpRefusal | undefined {
  const found = Object.entries(codes).find(([begin]) => address.startsWith(begin))
  return found && Object.assign(new Error('5.7.1 Refused by the test'), { responseCode: found[1] })
}
