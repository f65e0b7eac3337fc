import { SMTPServer } from 'smtp-server'
import type { StreamType } from '../mail/stream.js'
import type { PostmarkServer } from '../server/postmark-server.js'
import type { Certificate } from './certificate.js'
import type { FaultGate } from './faults/fault-gate.js'
import { HOST_NAME } from './faults/fault-session.js'
import { type Listener, listen } from './listener.js'
import type { LoginCheck } from './logins.js'
import { createSessionHost } from './session-host.js'
import { SIZE_LIMIT, sessionHandlers } from './smtp-session.js'

/** What one port of SMTP needs. */
export interface SmtpListenerOptions {
  readonly address: string
  readonly port: number
  readonly certificate: Certificate
  readonly server: PostmarkServer
  readonly checkLogin: LoginCheck
  readonly allowAnonymous: boolean
  readonly gate: FaultGate
  /** The host of Postmark's that the port stands for; undefined where it stands for both. */
  readonly host: StreamType | undefined
}

/**
 * Listens for SMTP as Postmark does.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS where the port cannot be used
 */
export function listenSmtp(options: SmtpListenerOptions): Promise<Listener> {
  const { address, port, certificate, server, checkLogin, allowAnonymous, gate, host } = options
  const logIn: LoginCheck = (login) => (server.settings.smtpApiActivated ? checkLogin(login) : undefined)
  const mechanisms = ['PLAIN', 'LOGIN', 'CRAM-MD5']
  const smtp = new SMTPServer({
    ...sessionHandlers(server, logIn, host),
    ...certificate,
    name: HOST_NAME,
    heloResponse: '%s',
    logger: false,
    size: SIZE_LIMIT,
    authMethods: mechanisms,
    authOptional: allowAnonymous,
    // As at Postmark, AUTH is offered before STARTTLS too: requiring TLS is the client's part.
    allowInsecureAuth: true,
    hideSMTPUTF8: true,
    hideDSN: false,
    disableReverseLookup: true,
    closeTimeout: 1,
  })
  const shared = {
    mechanisms,
    certificate: smtp.secureContext.get('*')!,
    wantsLogin: !allowAnonymous,
    server,
    checkLogin: logIn,
    host,
  }
  gate.guard(smtp, () => createSessionHost(shared))
  return listen(smtp, port, address)
}
