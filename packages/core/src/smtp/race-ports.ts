import type { Address } from './open-socket.js'
import { listAddresses } from './open-socket.js'
import type { OpenCallback, Opener } from './opener.js'
import { type Candidate, Race } from './race.js'
import { dnsFailure } from './race-failure.js'
import { DEAD_PORT_MS } from './time-limits.js'

/**
 * Races the ports and addresses of a host as in RFC 8305. The next one starts when the previous one is slow or has
 * failed. The first that greets wins and goes first from then on; a dead one goes last for a while. No candidate is
 * given up while there is time left.
 */
export function createPortRace(host: string, ports: readonly number[]): Opener {
  const deadUntil = new Map<number, number>()
  let winner: Candidate | undefined
  let wasGreeted = false
  const isDead = (port: number) => (deadUntil.get(port) ?? 0) > performance.now()
  const bury = (port: number) => {
    deadUntil.set(port, performance.now() + DEAD_PORT_MS)
    if (winner?.port === port) winner = undefined
  }
  const toCandidates = (addresses: readonly Address[]): Candidate[] => {
    const rank = (port: number) => (isDead(port) ? 2 : port === winner?.port ? 0 : 1)
    const inOrder = ports.toSorted((a, b) => rank(a) - rank(b))
    const pair = (part: readonly Address[]) =>
      inOrder.flatMap((port) => part.map((each) => ({ ...each, port })))
    // Every port is tried on one address of each family before any is tried on the rest.
    const all = [...pair(addresses.slice(0, 2)), ...pair(addresses.slice(2))]
    const first = all.findIndex(({ address, port }) => address === winner?.address && port === winner.port)
    return first > 0 ? [all[first]!, ...all.filter((_, index) => index !== first)] : all
  }
  return {
    bury,
    get hasLivePort() {
      return !ports.every(isDead)
    },
    get wasGreeted() {
      return wasGreeted
    },
    open: (limitMs, log, done) => {
      let race: Race | undefined
      let over = false
      const finish: OpenCallback = (failure, greeted) => {
        if (over) return
        over = true
        clearTimeout(timer)
        race?.cancel()
        if (race && greeted?.port !== undefined) {
          winner = race.winner
          wasGreeted = true
          deadUntil.delete(greeted.port)
        }
        done(failure, greeted)
      }
      const late = () => finish(race?.failure(true) ?? dnsFailure(host, undefined, limitMs))
      const timer = setTimeout(late, limitMs)
      listAddresses(host, (error, addresses) => {
        if (over) return
        if (error) finish(dnsFailure(host, error, limitMs))
        else {
          race = new Race(host, toCandidates(addresses), limitMs, log, wasGreeted, bury, finish)
          race.startNext(0)
        }
      })
      return () => {
        over = true
        clearTimeout(timer)
        race?.cancel()
      }
    },
  }
}
