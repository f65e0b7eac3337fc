import { setTimeout } from 'node:timers/promises'
import type { Environment } from './environment.js'
import { judge } from './goal.js'
import { inTurns, quantile } from './measure.js'
import { oneLine } from './messages.js'
import type { Section } from './section.js'
import { MAKERS } from './senders.js'
import { ROUND_TRIP_MS } from './sink-ports.js'

/** Before each email: meanwhile the connections of the previous sender close, which would slow down the next one. */
const PAUSE_MS = 10
/** Rounds that warm up the code and do not count. */
const WARM_UP = 10

/** Time from a new transporter to its first email: connection, TLS, login and send. */
export async function measureFirstMail(env: Environment): Promise<Section[]> {
  return [await measureLine(env, env.near, 'loopback', env.rounds(100), WARM_UP, 0.95)]
}

/** The same over a line with a round trip. */
export async function measureFirstMailFar(env: Environment): Promise<Section[]> {
  return [await measureLine(env, env.far, `${ROUND_TRIP_MS} ms round trip`, env.rounds(8), 1, 1)]
}

async function measureLine(
  env: Environment,
  port: number,
  line: string,
  rounds: number,
  warmUp: number,
  limit: number,
): Promise<Section> {
  const times = MAKERS.map((): number[] => [])
  for (let round = -warmUp; round < rounds; round++) {
    for (const index of inTurns(MAKERS.length, round + warmUp)) {
      await setTimeout(PAUSE_MS)
      const start = performance.now()
      const sender = MAKERS[index]![1]({ port, cert: env.cert })
      await env.inRequest(() => sender.sendMail(oneLine))
      if (round >= 0) times[index]!.push(performance.now() - start)
      await sender.close()
      env.tally(1)
    }
  }
  const found = times.map((values) => quantile(values, 0.2))
  const goal = judge({ of: 'time', is: 'at most', limit }, found[1]! / found[0]!)
  return {
    title: `First email of a new transporter, ${line}: 20th percentile`,
    headings: ['sent by', 'ms', 'time vs. plain', 'goal'],
    rows: MAKERS.map(([name], index) => [
      name,
      found[index]!,
      found[index]! / found[0]!,
      index === 1 ? goal : '',
    ]),
    charts: [{ column: 2, better: 'lower' }],
  }
}
