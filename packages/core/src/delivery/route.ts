import { isTlsFailure, replyOutcome } from '../problems/delivery-outcome.js'
import type { Redactor } from '../problems/redact.js'
import { createRedactor } from '../problems/redact.js'
import type { Login } from '../smtp/credentials.js'
import type { PortRace } from '../smtp/race-ports.js'
import { createPortRace } from '../smtp/race-ports.js'

/** Where mails go and who logs in there: what one group of connections has in common. */
export interface Route {
  readonly host: string
  readonly race: PortRace
  readonly redactor: Redactor
  login(): Promise<Login>
  /** Learns from a failure: a port that does not serve, or a login that may have been rotated. */
  noteFailure(error: Error, port: number | undefined): 'ask-again' | undefined
  /** Whether the failure was of one port, and another is left. */
  canTryAnotherPort(error: Error): boolean
}

/** What a route is made from. */
export interface RoutePlan {
  readonly host: string
  readonly ports: readonly number[]
  /** Gives the login; `rotates` tells that a second call may give another one. */
  readonly login: () => Login | Promise<Login>
  readonly rotates: boolean
  /** Whether sockets come from us, so that another port can be tried. */
  readonly racing: boolean
}

/** Makes a route. */
export function createRoute({ host, ports, login, rotates, racing }: RoutePlan): Route {
  const race = createPortRace(host, ports)
  const redactor = createRedactor()
  /** TLS that fails for good, on a port that we chose; TLS that is refused for now (4xx) may come with a retry. */
  const isOfPort = (error: Error) =>
    racing && isTlsFailure(error) && !replyOutcome(error as unknown as Readonly<Record<string, unknown>>)
  return {
    host,
    race,
    redactor,
    login: async () => {
      const found = await login()
      redactor.add(found.user)
      redactor.add(found.pass)
      return found
    },
    noteFailure: (error, port) => {
      redactor.error(error)
      const { code, responseCode } = error as { code?: string; responseCode?: number }
      if (port !== undefined && isOfPort(error)) race.bury(port)
      return rotates && code === 'EAUTH' && responseCode !== undefined && responseCode >= 500
        ? 'ask-again'
        : undefined
    },
    canTryAnotherPort: (error) => isOfPort(error) && race.hasLivePort,
  }
}
