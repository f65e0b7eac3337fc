import type { Environment } from './environment.js'
import { judge } from './goal.js'
import { quantile } from './measure.js'
import { oneLine } from './messages.js'
import type { Section } from './section.js'
import { MAKERS } from './senders.js'
import { ROUND_TRIP_MS } from './sink-ports.js'

/** Time from a new transporter to its first mail: connection, TLS, login and send. */
export async function measureFirstMail(env: Environment): Promise<Section[]> {
  return [await measureLine(env, env.near, 'loopback', env.rounds(40), 0.95)]
}

/** The same over a line with a round trip. */
export async function measureFirstMailFar(env: Environment): Promise<Section[]> {
  return [await measureLine(env, env.far, `round trip of ${ROUND_TRIP_MS} ms`, env.rounds(8), 1)]
}

async function measureLine(
  env: Environment,
  port: number,
  line: string,
  rounds: number,
  limit: number,
): Promise<Section> {
  const times = MAKERS.map((): number[] => [])
  for (let round = -1; round < rounds; round++) {
    for (let turn = 0; turn < MAKERS.length; turn++) {
      const index = (turn + Math.max(round, 0)) % MAKERS.length
      const start = performance.now()
      const sender = MAKERS[index]![1]({ port, cert: env.cert })
      await env.inRequest(() => sender.sendMail(oneLine))
      if (round >= 0) times[index]!.push(performance.now() - start)
      await sender.close()
      env.tally(1)
    }
  }
  const found = times.map((values) => quantile(values, 0.25))
  const goal = judge({ of: 'time', is: 'at most', limit }, found[1]! / found[0]!)
  return {
    title: `First mail of a new transporter, ${line}: lower quartile`,
    headings: ['sent by', 'ms', 'time against plain', 'goal'],
    rows: MAKERS.map(([name], index) => [
      name,
      found[index]!,
      found[index]! / found[0]!,
      index === 1 ? goal : '',
    ]),
    charts: [{ column: 2, better: 'lower' }],
  }
}
