import type { SecureContext } from 'node:tls'
import type { StreamType } from '@postmark-smtp/core'
import type { SMTPServer } from 'smtp-server'
import type { PostmarkServer } from '../server/postmark-server.js'
import type { Certificate } from './certificate.js'
import { HOST_NAME, MECHANISMS, SIZE_LIMIT } from './greeting.js'
import { type Listener, listen } from './listener.js'
import type { LoginCheck } from './logins.js'
import { PromptServer } from './prompt-server.js'
import { sessionHandlers } from './smtp-session.js'

/** What all sessions of one port have in common, with a fault or without. */
export interface SessionOptions {
  readonly mechanisms: readonly string[]
  readonly certificate: SecureContext
  readonly wantsLogin: boolean
  readonly server: PostmarkServer
  readonly checkLogin: LoginCheck
  /** The host of Postmark that the port replaces; undefined if it replaces both. */
  readonly hostType: StreamType | undefined
}

/** Sees each connection before the listener does, and may serve it instead. */
export interface ConnectionGate {
  /** Takes over the connections of a server. Called before it listens. */
  guard(server: SMTPServer, options: SessionOptions): void
}

/** What one port of SMTP needs. */
export interface SmtpListenerOptions {
  readonly address: string
  readonly port: number
  readonly certificate: Certificate
  readonly server: PostmarkServer
  readonly checkLogin: LoginCheck
  readonly allowAnonymous: boolean
  readonly gate: ConnectionGate
  readonly hostType: StreamType | undefined
}

/**
 * Listens for SMTP as Postmark does.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS if the port cannot be used
 */
export function listenSmtp(options: SmtpListenerOptions): Promise<Listener> {
  const { address, port, certificate, server, checkLogin, allowAnonymous, gate, hostType } = options
  const logIn: LoginCheck = (login) => {
    const { smtpApiActivated } = server.settings
    const loggedIn = smtpApiActivated ? checkLogin(login) : undefined
    if (!loggedIn)
      server.reportRefusedLogin({ method: login.method, reason: smtpApiActivated ? 'token' : 'smtp-off' })
    return loggedIn
  }
  const smtp = new PromptServer({
    ...sessionHandlers(server, logIn, hostType),
    ...certificate,
    name: HOST_NAME,
    heloResponse: '%s',
    logger: false,
    size: SIZE_LIMIT,
    authMethods: [...MECHANISMS],
    authOptional: allowAnonymous,
    // As at Postmark, AUTH is also offered before STARTTLS. It is up to the client to require TLS.
    allowInsecureAuth: true,
    // The limit of Postfix. Postmark refuses an email to more than fifty recipients later.
    maxRecipients: 1000,
    hideSMTPUTF8: true,
    hideDSN: false,
    disableReverseLookup: true,
    closeTimeout: 1,
  })
  gate.guard(smtp, {
    mechanisms: MECHANISMS,
    certificate: smtp.secureContext.get('*')!,
    wantsLogin: !allowAnonymous,
    server,
    checkLogin: logIn,
    hostType,
  })
  return listen(smtp, port, address)
}
