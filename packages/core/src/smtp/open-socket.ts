/** The only file that opens sockets. */
import { lookup } from 'node:dns'
import { connect, isIP, type Socket } from 'node:net'

/** An address of a host. */
export interface Address {
  readonly address: string
  readonly family: number
}

/**
 * Lists the addresses of a host in the order to try: the two families alternate, starting with the one that the system
 * lists first (RFC 8305 §4).
 */
export function listAddresses(
  host: string,
  done: (error: Error | undefined, addresses: readonly Address[]) => void,
): void {
  const family = isIP(host)
  if (family > 0) {
    done(undefined, [{ address: host, family }])
    return
  }
  lookup(host, { all: true, verbatim: true }, (error, found) => {
    if (error || found.length === 0) done(error ?? new Error(`${host} has no address`), [])
    else done(undefined, takeTurns(found))
  })
}

function takeTurns(found: readonly Address[]): Address[] {
  const first = found.filter(({ family }) => family === found[0]!.family)
  const second = found.filter(({ family }) => family !== found[0]!.family)
  return first
    .flatMap((each, index) => [each, ...second.slice(index, index + 1)])
    .concat(second.slice(first.length))
}

/** Connects to one address. The code that races the addresses decides when to give one up, so Node must not. */
export function openSocket({ address, family }: Address, port: number): Socket {
  // Without noDelay the last part of an email waits for a delayed acknowledgement.
  return connect({ host: address, family, port, noDelay: true, keepAlive: true, autoSelectFamily: false })
}
