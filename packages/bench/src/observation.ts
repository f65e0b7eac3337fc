import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Environment } from './environment.js'
import { judge } from './goal.js'
import { inTurns, quantile } from './measure.js'
import { OBSERVED_KINDS, type ObservedKind, type RoundOrder, type RoundResult } from './observation-kinds.js'
import type { Section } from './section.js'

const GOAL = { of: 'CPU', is: 'at most', limit: 1.05 } as const
const PER_ROUND = 400
const LEAD_IN = 100
const WARM_UP = 2000
/** The first one is repeated at the end; the distance between the two is the noise. */
const KINDS: readonly ObservedKind[] = ['nothing', 'stopped', 'observed', 'traceparent', 'byHand', 'nothing']
const TITLES = { oneLine: 'one-line text', multipart: 'text and HTML, 2.8 kB' } as const

interface Contender {
  readonly kind: ObservedKind
  readonly child: ChildProcess
  readonly results: RoundResult[]
}

/**
 * What the spans and metrics of each email add, in an application whose requests have spans anyway: with a batch span
 * processor and a periodic metric reader, whose exporters discard what they get.
 */
export async function measureObservation(env: Environment): Promise<Section[]> {
  return [await measureCase(env, 'oneLine'), await measureCase(env, 'multipart')]
}

async function measureCase(env: Environment, message: keyof typeof TITLES): Promise<Section> {
  const contenders = await Promise.all(KINDS.map((kind) => start(kind, message)))
  const rounds = env.rounds(30)
  for (const { child } of contenders) await run(env, child, WARM_UP)
  for (let round = 0; round < rounds; round++) {
    for (const index of inTurns(contenders.length, round)) {
      const { child, results } = contenders[index]!
      await run(env, child, LEAD_IN)
      results.push(await run(env, child, PER_ROUND))
    }
  }
  for (const { child } of contenders) child.disconnect()
  const costs = contenders.map(({ results }) =>
    quantile(
      results.map(({ cpuMicros }) => cpuMicros),
      0.2,
    ),
  )
  return {
    title: `OpenTelemetry, ${TITLES[message]}: every request has a span, loopback, separate processes`,
    headings: ['observed', 'CPU µs/mail', 'mails/s', 'extra \u00b5s', 'CPU vs. nothing', 'goal'],
    rows: contenders.map(({ kind, results }, index) => {
      const ratio = costs[index]! / costs[0]!
      const perSecond = quantile(
        results.map((each) => each.perSecond),
        0.8,
      )
      const isOn = kind === 'observed' || kind === 'traceparent'
      const name = index > 0 && kind === 'nothing' ? 'nothing again' : OBSERVED_KINDS[kind]
      return [
        name,
        costs[index]!,
        perSecond,
        costs[index]! - costs[0]!,
        ratio,
        isOn ? judge(GOAL, ratio) : '',
      ]
    }),
    charts: [{ column: 4, better: 'lower' }],
  }
}

async function start(kind: ObservedKind, message: string): Promise<Contender> {
  const child = fork(new URL('./observation-process.js', import.meta.url), [kind, message], { execArgv: [] })
  await once(child, 'message')
  return { kind, child, results: [] }
}

async function run(env: Environment, child: ChildProcess, count: number): Promise<RoundResult> {
  child.send({ port: env.near, cert: env.cert, count } satisfies RoundOrder)
  const [result] = (await once(child, 'message')) as [RoundResult]
  env.tally(count)
  return result
}
