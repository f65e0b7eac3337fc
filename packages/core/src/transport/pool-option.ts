import type { RoutePlan } from '../delivery/route-plan.js'
import { optionError } from '../problems/check-options.js'
import { isRecord } from '../problems/describe.js'
import type { InFlight } from '../smtp/session-settings.js'
import { readCount, readNumbers } from './option-numbers.js'

/** Used by default. docs/transport.md lists the rates. */
const IN_FLIGHT: InFlight = { single: 4, batch: 10 }

function toInFlight(mails: number): InFlight {
  return { single: mails, batch: mails }
}

/** Reads the option `pool`. @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function readPool(
  given: unknown,
): RoutePlan['pool'] & { maxConnections: number | undefined; maxQueued: number } {
  if (given !== undefined && !isRecord(given))
    throw optionError('pool', given, 'an object such as { maxConnections: 5 }')
  const { maxConnections, maxQueued, maxMessages, maxInFlight, ...times } = given ?? {}
  return {
    ...readNumbers('pool', times, { maxAgeMs: 300_000, idleTimeoutMs: 30_000 }, [
      'maxConnections',
      'maxQueued',
      'maxMessages',
      'maxInFlight',
    ]),
    inFlight: maxInFlight === undefined ? IN_FLIGHT : toInFlight(readCount('pool.maxInFlight', maxInFlight)),
    maxConnections:
      maxConnections === undefined ? undefined : readCount('pool.maxConnections', maxConnections),
    maxQueued: maxQueued === undefined ? Number.POSITIVE_INFINITY : readCount('pool.maxQueued', maxQueued),
    maxMessages: maxMessages === undefined ? 100 : readCount('pool.maxMessages', maxMessages),
  }
}
