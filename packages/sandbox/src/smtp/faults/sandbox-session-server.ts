import { SIZE_LIMIT } from '../greeting.js'
import type { LoggedIn } from '../logins.js'
import { sizeProblem } from '../size-problem.js'
import type { SessionOptions } from '../smtp-listener.js'
import { takeMail } from '../take-mail.js'
import type { SessionServer } from './session-server.js'

/** The sandbox for one connection with a fault: the same logins, the same rules, the same outbox. */
export function createSandboxSessionServer(options: SessionOptions): SessionServer {
  const { mechanisms, certificate, wantsLogin, server, checkLogin, hostType } = options
  let secure = false
  let loggedIn: LoggedIn | undefined
  return {
    mechanisms,
    certificate,
    wantsLogin,
    maxBytes: SIZE_LIMIT,
    logIn(login) {
      loggedIn = checkLogin(login)
      return loggedIn !== undefined
    },
    secured() {
      secure = true
    },
    accept(raw, envelope) {
      const problem = sizeProblem(raw)
      if (problem !== undefined) return `552 ${problem}`
      const tokenStream = loggedIn?.stream
      const { code, text } = takeMail(server, raw, envelope, { secure, hostType, tokenStream })
      return `${code} ${text}`
    },
  }
}
