import type { GroupingListener, GroupingSession } from './grouping.js'

/** The number of trials that broke off, possibly for another reason, after which no more are made. */
const MOST_TRIALS = 3

/** What is known of a server that offers CHUNKING. */
type Known =
  /**
   * It supports BDAT: it accepted an email whose body was only sent after the reply to its header block, a chunk of its
   * own.
   */
  | 'knows'
  /** It accepts consecutive whole emails: two were in flight, and each reply arrived in its place. */
  | 'follows'

/**
 * Whether the servers of a route accept whole emails, one after another, without a reply in between (RFC 3030). This is
 * learned for each address and port in two steps, each by one session while the others continue with DATA. The first
 * anomaly turns it off for the whole route.
 */
export class Chunking {
  readonly #known = new Map<string, Known>()
  readonly #trials = new Map<string, number>()
  #off = false
  #trying: GroupingSession | undefined
  readonly #listener: GroupingListener

  constructor(listener: GroupingListener) {
    this.#listener = listener
  }

  /** Whether a session may now find out whether its server supports BDAT. */
  mayProbe(session: GroupingSession): boolean {
    return !this.#known.has(session.server) && this.#mayTry(session)
  }

  /** Whether a session may now send a first email after another that has no reply yet. */
  mayTry(session: GroupingSession): boolean {
    return this.#known.get(session.server) === 'knows' && this.#mayTry(session)
  }

  /** Whether consecutive whole emails may be sent. */
  isOn(session: GroupingSession): boolean {
    return !this.#off && this.#known.get(session.server) === 'follows'
  }

  /** The server accepted an email over BDAT. */
  probed(session: GroupingSession): void {
    this.leave(session)
    if (!this.#known.has(session.server)) this.#known.set(session.server, 'knows')
  }

  /** Two emails in flight were answered, each in its place. */
  answered(session: GroupingSession): void {
    this.leave(session)
    if (this.#off || this.#known.get(session.server) === 'follows') return
    this.#known.set(session.server, 'follows')
    this.#listener('on', session.port, 'two consecutive emails were answered')
  }

  /** The server does not do what it offers. */
  refused(session: GroupingSession, reason: string): void {
    this.leave(session)
    if (this.#off) return
    this.#off = true
    this.#listener('off', session.port, reason)
  }

  /** A trial broke off, possibly for another reason. */
  brokeOff(session: GroupingSession): void {
    if (this.#trying !== session) return
    const trials = (this.#trials.get(session.server) ?? 0) + 1
    this.#trials.set(session.server, trials)
    if (trials >= MOST_TRIALS) this.refused(session, 'no trial was fully answered')
    else this.leave(session)
  }

  /** The session will not try any more. */
  leave(session: GroupingSession): void {
    if (this.#trying === session) this.#trying = undefined
  }

  #mayTry(session: GroupingSession): boolean {
    if (this.#off) return false
    this.#trying ??= session
    return this.#trying === session
  }
}
