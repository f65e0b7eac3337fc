import type { Failure } from '../problems/smtp-failure.js'
import { Channel } from './channel.js'
import type { Address } from './open-socket.js'
import { openSocket } from './open-socket.js'
import type { OpenCallback } from './opener.js'
import type { CandidateFailure } from './race-failure.js'
import { raceFailure } from './race-failure.js'
import type { Reply } from './reply-reader.js'
import type { SmtpLog } from './smtp-log.js'
import { NEXT_PORT_AFTER_MS, NEXT_PORT_AFTER_SILENCE_MS } from './time-limits.js'

/** A port of an address. */
export interface Candidate extends Address {
  readonly port: number
}

/** One race over the candidates. */
export class Race {
  winner: Candidate | undefined
  readonly #running = new Map<Candidate, Channel>()
  readonly #failures: CandidateFailure[] = []
  readonly #timers = new Set<NodeJS.Timeout>()
  #next = 0
  #over = false
  #connected = false

  constructor(
    readonly host: string,
    readonly candidates: readonly Candidate[],
    readonly limitMs: number,
    readonly log: SmtpLog,
    readonly wasGreeted: boolean,
    readonly bury: (port: number) => void,
    readonly done: OpenCallback,
  ) {}

  /** Starts the next candidate, unless that has already happened. */
  startNext(from: number): void {
    const candidate = this.candidates[from]
    if (this.#over || this.#next !== from || !candidate) return
    this.#next++
    const next = this.#next
    const socket = openSocket(candidate, candidate.port)
    let connected = false
    socket.once('connect', () => {
      connected = true
      this.#connected = true
    })
    const channel: Channel = new Channel(
      socket,
      { onEnd: (end) => this.#fail(candidate, next, { port: candidate.port, end, reply: undefined }) },
      this.log,
    )
    this.#running.set(candidate, channel)
    channel.expect({ onReply: (reply) => this.#onGreeting(candidate, next, channel, reply) })
    this.#after(NEXT_PORT_AFTER_MS, () => connected || this.startNext(next))
    this.#after(NEXT_PORT_AFTER_SILENCE_MS, () => this.startNext(next))
  }

  /** Releases everything except the winner. */
  cancel(): void {
    this.#over = true
    for (const timer of this.#timers) clearTimeout(timer)
    for (const channel of this.#running.values()) channel.destroy()
    this.#running.clear()
  }

  /** Why nobody won. */
  failure(isLate: boolean): Failure {
    const { host, limitMs, wasGreeted } = this
    const ports = [...new Set(this.candidates.map(({ port }) => port))]
    const failures = this.#failures
    return raceFailure({ host, ports, limitMs, failures, isLate, hasConnected: this.#connected, wasGreeted })
  }

  #onGreeting(candidate: Candidate, next: number, channel: Channel, reply: Reply): void {
    if (reply.code !== 220) {
      channel.destroy()
      this.#fail(candidate, next, { port: candidate.port, end: undefined, reply })
      return
    }
    this.#running.delete(candidate)
    this.winner = candidate
    this.done(undefined, { channel, port: candidate.port })
  }

  #fail(candidate: Candidate, next: number, failure: CandidateFailure): void {
    if (this.#over) return
    this.#running.delete(candidate)
    this.#failures.push(failure)
    const { port } = candidate
    const left = [...this.#running.keys(), ...this.candidates.slice(this.#next)]
    if (!left.some((each) => each.port === port)) this.bury(port)
    if (this.#running.size === 0 && this.#next >= this.candidates.length) this.done(this.failure(false))
    else this.startNext(next)
  }

  #after(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      work()
    }, ms)
    this.#timers.add(timer)
  }
}
