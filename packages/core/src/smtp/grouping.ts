/** How mails may share a write: `auto` groups two mails, `envelope` one mail's commands, false sends one command at a time. */
export type Pipelining = 'auto' | 'envelope' | false

/** Told when a route turns grouping on or off. */
export type GroupingListener = (grouping: 'on' | 'off', port: number | undefined, reason: string) => void

/** Groups that broke off without an answer, while nobody knew whether the server takes them, until none is tried again. */
const MOST_TRIALS = 3

/**
 * Whether the servers of a route take the end of one mail and the envelope of the next in one write (RFC 2920 §3.1).
 * It is learned per port, since another machine may answer there: one session tries first, all others wait for a whole
 * group to be answered, and the first anomaly ends it.
 */
export class Grouping {
  readonly #known = new Map<number | undefined, 'on' | 'off'>()
  readonly #trials = new Map<number | undefined, number>()
  #trying: object | undefined
  readonly #listener: GroupingListener

  constructor(listener: GroupingListener) {
    this.#listener = listener
  }

  /** Whether a session may send a group now. */
  may(session: object, port: number | undefined): boolean {
    const known = this.#known.get(port)
    if (known) return known === 'on'
    if (this.#trying !== undefined && this.#trying !== session) return false
    this.#trying = session
    return true
  }

  /** A whole group was answered. */
  answered(session: object, port: number | undefined): void {
    if (this.#trying === session) this.#trying = undefined
    if (this.#known.has(port)) return
    this.#known.set(port, 'on')
    this.#listener('on', port, 'a whole group was answered')
  }

  /** The server cannot take a group. */
  refused(session: object, port: number | undefined, reason: string): void {
    this.leave(session)
    if (this.#known.get(port) === 'off') return
    this.#known.set(port, 'off')
    this.#listener('off', port, reason)
  }

  /** A group broke off, for a reason that may be another one. */
  brokeOff(session: object, port: number | undefined): void {
    if (this.#trying !== session) return
    this.#trying = undefined
    const trials = (this.#trials.get(port) ?? 0) + 1
    this.#trials.set(port, trials)
    if (trials >= MOST_TRIALS) this.refused(session, port, 'no group was answered as a whole')
  }

  /** A session that will not try any more. */
  leave(session: object): void {
    if (this.#trying === session) this.#trying = undefined
  }
}
