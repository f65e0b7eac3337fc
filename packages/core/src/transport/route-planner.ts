import type { RoutePlan } from '../delivery/route-plan.js'
import { optionError } from '../problems/check-options.js'
import { isRecord } from '../problems/describe.js'
import { PostmarkError } from '../problems/error.js'
import { createRedactor } from '../problems/redact.js'
import type { GetSocket } from '../smtp/given-socket.js'
import { createGivenSockets } from '../smtp/given-socket.js'
import type { Pipelining } from '../smtp/grouping.js'
import { AUTH_METHODS } from '../smtp/login.js'
import { POSTMARK_PORTS } from '../smtp/postmark-hosts.js'
import { createPortRace } from '../smtp/race-ports.js'
import { createTlsContext } from '../smtp/start-tls.js'
import { TIME_LIMITS } from '../smtp/time-limits.js'
import { readNumbers } from './option-numbers.js'
import type { Account } from './stream-routes.js'
import type { PostmarkTransportOptions } from './transport-options.js'

/** Checks what all routes of a transport share. Returns a function that creates the plan of a route. */
export function createPlanner(
  options: PostmarkTransportOptions,
  shared: Pick<RoutePlan, 'pool' | 'budget' | 'retry'>,
): (host: string, account: Account) => RoutePlan {
  const {
    authMethod,
    getSocket,
    tls = {},
    allowPlaintext = false,
    pipelining = 'auto',
    logger = false,
  } = options
  if (authMethod !== undefined && !AUTH_METHODS.includes(authMethod))
    throw optionError('authMethod', authMethod, `one of ${AUTH_METHODS.join(', ')}`)
  if (getSocket !== undefined && typeof getSocket !== 'function')
    throw optionError('getSocket', getSocket, 'a function')
  if (!PIPELINING.includes(pipelining))
    throw optionError('pipelining', pipelining, '"auto", "envelope" or false')
  if (typeof logger !== 'boolean' && !isRecord(logger))
    throw optionError('logger', logger, 'true, false, or an object with methods such as `info` and `debug`')
  const ports = readPorts(options.ports)
  const limits = readNumbers('timeouts', options.timeouts, TIME_LIMITS)
  const context = allowPlaintext ? undefined : createTlsContext(tls)
  const toOpener = (host: string) => {
    const race = createPortRace(host, ports)
    return getSocket ? createGivenSockets(getSocket as GetSocket, host, ports[0]!, race) : race
  }
  return (host, { login, rotates }) => ({
    ...shared,
    pipelining,
    session: {
      host,
      opener: toOpener(host),
      tls: context,
      authMethod,
      login,
      rotates,
      limits,
      logger,
      redactor: createRedactor(),
    },
  })
}

const PIPELINING: readonly Pipelining[] = ['auto', 'envelope', false]

function readPorts(ports: unknown = POSTMARK_PORTS): readonly number[] {
  if (!Array.isArray(ports) || ports.length === 0)
    throw optionError('ports', ports, 'an array such as [587, 2525, 25]')
  for (const port of ports) {
    if (port === 465) {
      throw new PostmarkError(
        'ERR_POSTMARK_TLS',
        'Port 465 is for implicit TLS, which Postmark does not offer. Use 587, 2525 or 25.',
      )
    }
    if (!Number.isInteger(port) || port < 1 || port > 65535)
      throw optionError('ports', port, 'numbers from 1 to 65535')
  }
  return [...new Set(ports as number[])]
}
