import type { Socket } from 'node:net'

/** How mails may share a write: `auto` groups two mails, `envelope` one mail's commands, false sends one command at a time. */
export type Pipelining = 'auto' | 'envelope' | false

/** Told when a route turns grouping on or off. */
export type GroupingListener = (grouping: 'on' | 'off', port: number | undefined, reason: string) => void

/** A session, as far as it matters here. */
export interface GroupingSession {
  readonly port: number | undefined
  /** Address and port of the machine that it talks to. */
  readonly server: string
}

/** Groups that broke off without an answer, while nobody knew whether the server takes them, until none is tried again. */
const MOST_TRIALS = 3

/**
 * Whether the servers of a route take the end of one mail and the envelope of the next in one write (RFC 2920 §3.1).
 * It is learned for each address and port, since another machine may answer there: one session tries first, all others
 * wait for a whole group to be answered. The first anomaly ends it for the whole route.
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

  /** Whether mails share writes. */
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

  /** A group broke off, for a reason that may be another one. */
  brokeOff(session: GroupingSession): void {
    if (this.#trying !== session) return
    const trials = (this.#trials.get(session.server) ?? 0) + 1
    this.#trials.set(session.server, trials)
    if (trials >= MOST_TRIALS) this.refused(session, 'no group was fully answered')
    else this.leave(session)
  }

  /** A session that will not try any more. */
  leave(session: GroupingSession): void {
    if (this.#trying === session) this.#trying = undefined
  }
}

/** What names the machine at the other end of a connection. @param port where its socket knows none */
export function serverOf({ socket }: { readonly socket: object }, port: number | undefined): string {
  const { remoteAddress, remotePort } = socket as Partial<Socket>
  return `${remoteAddress}:${remotePort ?? port}`
}
