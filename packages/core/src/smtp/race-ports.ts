import type { Failure } from '../problems/smtp-failure.js'
import { outcomeOfReply, smtpError } from '../problems/smtp-failure.js'
import type { ChannelEnd } from './channel.js'
import { Channel } from './channel.js'
import { isLoopback } from './loopback.js'
import type { Address } from './open-socket.js'
import { listAddresses, openSocket } from './open-socket.js'
import type { Reply } from './reply-reader.js'
import type { SmtpLog } from './smtp-log.js'
import { DEAD_PORT_MS, NEXT_PORT_AFTER_MS, NEXT_PORT_AFTER_SILENCE_MS } from './time-limits.js'

/** A channel whose server has greeted. */
export interface Greeted {
  readonly channel: Channel
  /** Undefined where the socket is another's. */
  readonly port: number | undefined
}

/** Called once, with a greeted channel or with why there is none. */
export type OpenCallback = (failure: Failure | undefined, greeted?: Greeted) => void

/** Where channels come from. */
export interface Opener {
  /** Opens a channel within the time. @returns what gives up: the callback is not called after it */
  open(limitMs: number, log: SmtpLog, done: OpenCallback): () => void
  /** Notes that a port does not serve: it offers no STARTTLS, or its certificate fails. */
  bury(port: number): void
  /** Whether a port is left that is not known to be dead. */
  readonly hasLivePort: boolean
  /** Whether a server has ever greeted: until then a failure is most likely a mistake in the configuration. */
  readonly wasGreeted: boolean
}

interface Candidate extends Address {
  readonly port: number
}

/**
 * Races ports and addresses of a host in the manner of RFC 8305: the next one starts when the one before is slow or has
 * failed; the first that greets wins and goes first from then on; a dead one comes last until its time is over. No
 * candidate is given up while there is time left.
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
      const late = () => finish(race?.failure('late') ?? dnsFailure(host, undefined, limitMs))
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

interface CandidateFailure {
  readonly port: number
  readonly end: ChannelEnd | undefined
  readonly reply: Reply | undefined
}

/** One race over the candidates. */
class Race {
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

  /** Starts the next candidate, unless that was done already. */
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

  /** Lets go of everything but the winner. */
  cancel(): void {
    this.#over = true
    for (const timer of this.#timers) clearTimeout(timer)
    for (const channel of this.#running.values()) channel.destroy()
    this.#running.clear()
  }

  /** One error for all candidates: a reply of the server says more than a refused connection. */
  failure(why: 'late' | 'failed'): Failure {
    const { host } = this
    const reply = this.#failures.find((each) => each.reply)?.reply
    const cause = this.#failures
      .map(({ end }) => (end?.kind === 'lost' ? end.cause : undefined))
      .find(Boolean)
    const protocol = this.#failures.some(({ end }) => end?.kind === 'protocol')
    const silent = why === 'late' && !reply
    const { code: systemCode } = (cause ?? {}) as { code?: string }
    const fields = {
      phase: 'connect',
      command: 'CONN',
      ...(reply ? { response: reply.response, responseCode: reply.code } : {}),
      ...(cause ? { cause } : {}),
      outcome: (reply && outcomeOfReply(reply.code)) ?? 'not-sent',
      code: reply
        ? 'EGREETING'
        : silent
          ? 'ETIMEDOUT'
          : protocol
            ? 'EPROTOCOL'
            : (systemCode ?? 'ECONNECTION'),
      explanation: reply
        ? undefined
        : silent || protocol
          ? this.#connected
            ? 'no-smtp-server'
            : 'port-blocked'
          : systemCode === 'ECONNREFUSED'
            ? isLoopback(host)
              ? 'nothing-listens'
              : 'connection-refused'
            : /^(EHOSTUNREACH|ENETUNREACH|EACCES|ETIMEDOUT)$/.test(systemCode ?? '')
              ? 'port-blocked'
              : undefined,
    } as const
    const error = smtpError(`No port of ${host} serves (${this.#tellEach()})`, fields)
    // Silence has had the whole limit. Where nobody ever greeted it is no passing fault, and waiting again is in vain.
    const never = (silent && !this.wasGreeted) || fields.outcome === 'rejected'
    return { error, retry: never ? 'never' : 'counted' }
  }

  #tellEach(): string {
    const told = new Map<number, string>()
    for (const { port, end, reply } of this.#failures) told.set(port, tell(end, reply))
    const ports = [...new Set(this.candidates.map(({ port }) => port))]
    return ports
      .map((port) => `${port}: ${told.get(port) ?? `no greeting within ${this.limitMs} ms`}`)
      .join('; ')
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
    if (this.#running.size === 0 && this.#next >= this.candidates.length) this.done(this.failure('failed'))
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

function tell(end: ChannelEnd | undefined, reply: Reply | undefined): string {
  if (reply) return `the server greeted with ${JSON.stringify(reply.response.slice(0, 200))}`
  if (end?.kind === 'protocol') return `what answers speaks no SMTP (${end.what})`
  if (end?.kind === 'lost' && end.cause)
    return end.cause.message || String((end.cause as { code?: string }).code)
  return 'the connection was closed before the greeting'
}

function dnsFailure(host: string, cause: Error | undefined, limitMs: number): Failure {
  const why = cause ? cause.message : `no answer within ${limitMs} ms`
  const error = smtpError(`The name ${host} was not resolved: ${why}`, {
    code: 'EDNS',
    phase: 'connect',
    command: 'CONN',
    outcome: 'not-sent',
    explanation: 'host-not-found',
    cause,
  })
  return { error, retry: 'counted' }
}
