import type { SecureContext } from 'node:tls'
import type { StreamType } from '../mail/stream.js'
import type { PostmarkServer } from '../server/postmark-server.js'
import type { SessionHost } from './faults/fault-host.js'
import type { LoggedIn, LoginCheck } from './logins.js'
import { SIZE_LIMIT } from './smtp-session.js'

/** What a connection with a fault has in common with the others of its listener. */
export interface SessionHostOptions {
  readonly mechanisms: readonly string[]
  readonly certificate: SecureContext
  readonly wantsLogin: boolean
  readonly server: PostmarkServer
  readonly checkLogin: LoginCheck
  readonly host: StreamType | undefined
}

/** The sandbox as one connection with a fault sees it: the same logins, the same rules, the same outbox. */
export function createSessionHost(options: SessionHostOptions): SessionHost {
  const { mechanisms, certificate, wantsLogin, server, checkLogin, host } = options
  let secure = false
  let loggedIn: LoggedIn | undefined
  return {
    mechanisms,
    certificate,
    wantsLogin,
    logIn(login) {
      loggedIn = checkLogin(login)
      return loggedIn !== undefined
    },
    secured() {
      secure = true
    },
    accept(raw, envelope) {
      if (raw.length > SIZE_LIMIT) return '552 5.3.4 Error: message file too big'
      const { id } = server.receive(raw, envelope, { secure, host, tokenStream: loggedIn?.stream })
      return `250 2.0.0 Ok: queued as ${id}`
    },
  }
}
