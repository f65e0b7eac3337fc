import type { Socket } from 'node:net'
import { publishConnect } from '../problems/diagnostics.js'
import { type OpeningSocket, openSocket } from './open-socket.js'
import { DEAD_PORT_MS, NEXT_PORT_AFTER_MS, NEXT_PORT_AFTER_SILENCE_MS } from './time-limits.js'

/** A greeted socket, and the port it is on. */
interface RacedSocket {
  readonly socket: Socket
  readonly port: number
}

/** The ports of one host, and what is known of them. */
export interface PortRace {
  /** Opens a socket on the first port that greets. @throws the reason of the last port, naming all */
  open(limitMs: number): Promise<RacedSocket>
  /** Notes that a port does not serve: it offers no STARTTLS, or its certificate fails. */
  bury(port: number): void
  /** Whether a port is left that is not known to be dead. */
  readonly hasLivePort: boolean
}

/**
 * Races the ports of a host in the manner of RFC 8305: the next port starts when the one before is slow or has
 * failed, the first that greets wins and goes first from then on, a dead one comes last until its time is over.
 */
export function createPortRace(
  host: string,
  ports: readonly number[],
  now: () => number = Date.now,
): PortRace {
  const deadUntil = new Map<number, number>()
  let winner: number | undefined
  const isDead = (port: number) => (deadUntil.get(port) ?? 0) > now()
  const bury = (port: number) => {
    deadUntil.set(port, now() + DEAD_PORT_MS)
    if (winner === port) winner = undefined
  }
  const inOrder = () => {
    const rank = (port: number) => (isDead(port) ? 2 : port === winner ? 0 : 1)
    return ports.toSorted((a, b) => rank(a) - rank(b))
  }
  return {
    bury,
    get hasLivePort() {
      return !ports.every(isDead)
    },
    open: async (limitMs) => {
      const start = performance.now()
      const won = await race(host, inOrder(), limitMs, bury)
      publishConnect({ host, port: won.port, durationMs: performance.now() - start })
      winner = won.port
      deadUntil.delete(won.port)
      return won
    },
  }
}

function race(
  host: string,
  ports: readonly number[],
  limitMs: number,
  onFailure: (port: number) => void,
): Promise<RacedSocket> {
  return new Promise((resolve, reject) => {
    const running = new Map<number, OpeningSocket>()
    const failures: { port: number; error: Error }[] = []
    const timers = new Set<NodeJS.Timeout>()
    let next = 0
    let settled = false

    const settle = () => {
      settled = true
      for (const timer of timers) clearTimeout(timer)
    }
    const after = (ms: number, work: () => void) => {
      const timer = setTimeout(() => {
        timers.delete(timer)
        work()
      }, ms)
      timers.add(timer)
    }
    const fail = () => {
      settle()
      for (const opening of running.values()) opening.cancel()
      reject(raceError(host, ports, failures, limitMs))
    }
    const startNext = (from: number) => {
      // Only the port that was started last may start another one.
      if (!settled && next === from && next < ports.length) start()
    }
    const start = () => {
      const port = ports[next++]!
      const from = next
      const opening = openSocket(host, port)
      running.set(port, opening)
      let connected = false
      void opening.connected.then(() => {
        connected = true
      })
      after(NEXT_PORT_AFTER_MS, () => connected || startNext(from))
      after(NEXT_PORT_AFTER_SILENCE_MS, () => startNext(from))
      opening.greeted.then(
        (socket) => {
          if (settled) {
            socket.destroy()
            return
          }
          settle()
          running.delete(port)
          for (const other of running.values()) other.cancel()
          resolve({ socket, port })
        },
        (error: Error) => {
          if (settled) return
          running.delete(port)
          failures.push({ port, error })
          onFailure(port)
          if (running.size === 0 && next >= ports.length) fail()
          else startNext(from)
        },
      )
    }
    after(limitMs, fail)
    start()
  })
}

/** One error for all ports: a reply of the server says more than a refused connection. */
function raceError(
  host: string,
  ports: readonly number[],
  failures: readonly { port: number; error: Error }[],
  limitMs: number,
): Error {
  const told = new Map(failures.map(({ port, error }) => [port, error.message]))
  const each = ports.map((port) => `${port}: ${told.get(port) ?? `no greeting within ${limitMs} ms`}`)
  const telling = failures.find(({ error }) => 'responseCode' in error) ?? failures.at(-1)
  const silent = told.size < ports.length
  const { code, response, responseCode, syscall } = (telling?.error ?? {}) as Readonly<
    Record<string, unknown>
  >
  const error = new Error(`No port of ${host} serves (${each.join('; ')})`)
  return Object.assign(error, {
    code: responseCode === undefined && silent ? 'ETIMEDOUT' : code,
    command: 'CONN',
    ...(syscall === undefined ? {} : { syscall }),
    ...(responseCode === undefined ? {} : { response, responseCode }),
  })
}
