import { SIZE_LIMIT } from '../greeting.js'
import type { LoggedIn } from '../logins.js'
import type { SessionOptions } from '../smtp-listener.js'
import type { SessionHost } from './fault-host.js'

/** The sandbox as one connection with a fault sees it: the same logins, the same rules, the same outbox. */
export function createSessionHost(options: SessionOptions): SessionHost {
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
