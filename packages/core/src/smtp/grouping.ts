import type { Socket } from 'node:net'

/**
 * How emails may share a write: `auto` groups two emails, `envelope` groups the commands of one email, and false sends one
 * command at a time.
 */
export type Pipelining = 'auto' | 'envelope' | false

/** Called when a route turns grouping on or off. */
export type GroupingListener = (grouping: 'on' | 'off', port: number | undefined, reason: string) => void

/** The parts of a session that are needed here. */
export interface GroupingSession {
  readonly port: number | undefined
  /** The address and port of the machine that it talks to. */
  readonly server: string
}

/**
 * The number of unanswered groups, while it is not known whether the server accepts them, after which no more are
 * tried.
 */
const MOST_TRIALS = 3

/**
 * Whether the servers of a route accept the end of one email and the envelope of the next in one write (RFC 2920 §3.1).
 * This is learned for each address and port, because another machine may answer there: one session tries first, and all
 * others wait until a whole group is answered. The first anomaly turns it off for the whole route.
 */
export class Grouping {
  readonly #able = new Set<string>()
  readonly #trials = new Map<string, number>()
  #off = false
  #trying: GroupingSession | undefined
  readonly #listener: GroupingListener

  constructor(listener: GroupingListener) {
    this.#listener = listener
  }

  /** Whether a session may send a group now. */
  may(session: GroupingSession): boolean {
    if (this.#off) return false
    if (this.#able.has(session.server)) return true
    this.#trying ??= session
    return this.#trying === session
  }

  /** Whether emails share writes. */
  isOn(session: GroupingSession): boolean {
    return !this.#off && this.#able.has(session.server)
  }

  /** A whole group was answered. */
  answered(session: GroupingSession): void {
    this.leave(session)
    if (this.#off || this.#able.has(session.server)) return
    this.#able.add(session.server)
    this.#listener('on', session.port, 'a group was fully answered')
  }

  /** The server cannot take a group. */
  refused(session: GroupingSession, reason: string): void {
    this.leave(session)
    if (this.#off) return
    this.#off = true
    this.#listener('off', session.port, reason)
  }

  /** A group broke off, possibly for another reason. */
  brokeOff(session: GroupingSession): void {
    if (this.#trying !== session) return
    const trials = (this.#trials.get(session.server) ?? 0) + 1
    this.#trials.set(session.server, trials)
    if (trials >= MOST_TRIALS) this.refused(session, 'no group was fully answered')
    else this.leave(session)
  }

  /** The session will not try any more. */
  leave(session: GroupingSession): void {
    if (this.#trying === session) this.#trying = undefined
  }
}

/** Identifies the machine at the other end of a connection. @param port used if its socket does not know one */
export function serverOf({ socket }: { readonly socket: object }, port: number | undefined): string {
  const { remoteAddress, remotePort } = socket as Partial<Socket>
  return `${remoteAddress}:${remotePort ?? port}`
}
