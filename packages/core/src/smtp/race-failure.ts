import type { Failure, SmtpFailureFields } from '../problems/smtp-failure.js'
import { outcomeOfReply, smtpError } from '../problems/smtp-failure.js'
import type { ChannelEnd } from './channel-owner.js'
import { isLoopback } from './loopback.js'
import type { Reply } from './reply-reader.js'

/** Why a candidate in a race did not greet. */
export interface CandidateFailure {
  readonly port: number
  readonly end: ChannelEnd | undefined
  readonly reply: Reply | undefined
}

/** What is known about a race without a winner. */
export interface LostRace {
  readonly host: string
  readonly ports: readonly number[]
  readonly limitMs: number
  readonly failures: readonly CandidateFailure[]
  /** Whether the time limit was exceeded before every candidate had failed. */
  readonly isLate: boolean
  /** Whether a candidate accepted the connection. */
  readonly hasConnected: boolean
  /** Whether a server has ever greeted in an earlier race. */
  readonly wasGreeted: boolean
}

/** One error for all candidates. A reply from the server says more than a refused connection. */
export function raceFailure(race: LostRace): Failure {
  const { failures, isLate } = race
  const reply = failures.find((each) => each.reply)?.reply
  const silent = isLate && !reply
  const outcome = (reply && outcomeOfReply(reply.code)) ?? 'not-sent'
  const error = smtpError(`No usable port on ${race.host} (${tellEach(race)})`, {
    phase: 'connect',
    command: 'CONN',
    outcome,
    ...(reply
      ? { code: 'EGREETING', response: reply.response, responseCode: reply.code }
      : explainSilence(race, silent)),
  })
  // Silence lasted for the whole time limit. If no server has ever greeted, the fault is not temporary, and waiting
  // again does not help.
  const never = (silent && !race.wasGreeted) || outcome === 'rejected'
  return { error, retry: never ? 'never' : 'counted' }
}

/** Explains why candidates failed if none of them replied. */
function explainSilence(
  { host, failures, hasConnected }: LostRace,
  silent: boolean,
): Pick<SmtpFailureFields, 'code' | 'explanation' | 'cause'> {
  const cause = failures.map(({ end }) => (end?.kind === 'lost' ? end.cause : undefined)).find(Boolean)
  const { code } = (cause ?? {}) as { code?: string }
  const isForeign = failures.some(({ end }) => end?.kind === 'protocol')
  if (silent || isForeign) {
    const explanation = hasConnected ? 'no-smtp-server' : 'port-blocked'
    return { code: silent ? 'ETIMEDOUT' : 'EPROTOCOL', explanation, cause }
  }
  return { code: code ?? 'ECONNECTION', explanation: explainSystemCode(code, host), cause }
}

function explainSystemCode(code: string | undefined, host: string): string | undefined {
  if (code === 'ECONNREFUSED') return isLoopback(host) ? 'nothing-listens' : 'connection-refused'
  return /^(EHOSTUNREACH|ENETUNREACH|EACCES|ETIMEDOUT)$/.test(code ?? '') ? 'port-blocked' : undefined
}

function tellEach({ failures, ports, limitMs }: LostRace): string {
  const told = new Map<number, string>()
  for (const { port, end, reply } of failures) told.set(port, tell(end, reply))
  return ports.map((port) => `${port}: ${told.get(port) ?? `no greeting within ${limitMs} ms`}`).join('; ')
}

function tell(end: ChannelEnd | undefined, reply: Reply | undefined): string {
  if (reply) return `the server greeted with ${JSON.stringify(reply.response.slice(0, 200))}`
  if (end?.kind === 'protocol') return `the service does not speak SMTP (${end.what})`
  if (end?.kind === 'lost' && end.cause)
    return end.cause.message || String((end.cause as { code?: string }).code)
  return 'the connection was closed before the greeting'
}

/** The failure for a host name that could not be resolved. */
export function dnsFailure(host: string, cause: Error | undefined, limitMs: number): Failure {
  const why = cause ? cause.message : `no answer within ${limitMs} ms`
  const error = smtpError(`The host name ${host} could not be resolved: ${why}`, {
    code: 'EDNS',
    phase: 'connect',
    command: 'CONN',
    outcome: 'not-sent',
    explanation: 'host-not-found',
    cause,
  })
  return { error, retry: 'counted' }
}
