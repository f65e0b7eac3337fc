import type { Environment } from './environment.js'
import { type Goal, judge } from './goal.js'
import { type Measurement, measure, type Rounds } from './measure.js'
import { multipart, oneLine, sizeOf } from './messages.js'
import type { Section } from './section.js'
import { CONNECTIONS, MAKERS, type Target } from './senders.js'
import { ROUND_TRIP_MS } from './sink-ports.js'

/** So many mails are asked for at once: more than the connections, so that some always wait. */
const CONCURRENCY = 50

interface Case {
  readonly title: string
  readonly message: object
  readonly target: Target
  readonly rounds: Rounds
  readonly goals: { readonly rate?: number; readonly cpu?: number }
}

/** Rate and CPU over TLS on the loopback interface, where nothing but CPU is to be waited for. */
export async function measureNear(env: Environment): Promise<Section[]> {
  const target = { port: env.near, cert: env.cert }
  const rounds = env.short ? 15 : 30
  const settings = { rounds, perRound: 200, concurrency: CONCURRENCY, warmUp: 5 }
  return [
    await measureCase(env, {
      title: 'a text of one line, loopback',
      message: oneLine,
      target,
      rounds: settings,
      goals: { rate: 1.2, cpu: 0.9 },
    }),
    await measureCase(env, {
      title: `text and HTML, ${await kilobytes(multipart)} kB, loopback`,
      message: multipart,
      target,
      rounds: settings,
      goals: { rate: 1.3, cpu: 0.85 },
    }),
  ]
}

/** The same over a line with a round trip, which decides there. */
export async function measureFar(env: Environment): Promise<Section[]> {
  const target = { port: env.far, cert: env.cert }
  // Many mails for each connection: the first one of a round costs its envelope a round trip of its own.
  const rounds = { rounds: env.short ? 1 : 3, perRound: 300, concurrency: CONCURRENCY }
  const goals = { rate: 1.85 }
  const line = `round trip of ${ROUND_TRIP_MS} ms`
  const sections = [
    await measureCase(env, {
      title: `text and HTML, ${await kilobytes(multipart)} kB, ${line}`,
      message: multipart,
      target,
      rounds,
      goals,
    }),
  ]
  if (env.short) return sections
  const title = `a text of one line, ${line}`
  return [await measureCase(env, { title, message: oneLine, target, rounds, goals }), ...sections]
}

/** The same in clear, on the loopback interface. */
export async function measureClear(env: Environment): Promise<Section[]> {
  const title = 'a text of one line, loopback, without TLS'
  const rounds = { rounds: env.short ? 8 : 16, perRound: 200, concurrency: CONCURRENCY }
  const target = { port: env.near, cert: undefined }
  return [await measureCase(env, { title, message: oneLine, target, rounds, goals: {} })]
}

async function measureCase(
  env: Environment,
  { title, message, target, rounds, goals }: Case,
): Promise<Section> {
  const senders = MAKERS.map(([name, make]) => ({ name, sender: make(target) }))
  const results = await measure(
    senders.map(({ name, sender }) => ({
      name,
      send: () => env.inRequest(() => sender.sendMail(message)),
    })),
    rounds,
  )
  for (const { sender } of senders) await sender.close()
  env.tally(senders.length * rounds.perRound * (rounds.rounds + (rounds.warmUp ?? 1)))
  const [first] = results
  return {
    title: `Rate: ${title}, ${CONNECTIONS} connections: ${rounds.rounds} rounds of ${rounds.perRound} mails`,
    headings: ['sent by', 'mails/s', 'CPU µs/mail', 'rate against plain', 'CPU against plain', 'goal'],
    rows: results.map((result, index) => toRow(result, first!, index === 1 ? goals : {})),
    chart: { column: 3, better: 'higher' },
  }
}

function toRow(
  { name, perSecond, cpuMicros }: Measurement,
  first: Measurement,
  { rate, cpu }: Case['goals'],
): (string | number)[] {
  const rateRatio = perSecond / first.perSecond
  const cpuRatio = cpuMicros / first.cpuMicros
  const goals: [Goal, number][] = []
  if (rate) goals.push([{ of: 'rate', is: 'at least', limit: rate }, rateRatio])
  if (cpu) goals.push([{ of: 'CPU', is: 'at most', limit: cpu }, cpuRatio])
  const goal = goals.map(([each, found]) => judge(each, found)).join('; ')
  return [name, perSecond, cpuMicros, rateRatio, cpuRatio, goal]
}

async function kilobytes(message: object): Promise<string> {
  return ((await sizeOf(message)) / 1000).toFixed(1)
}
