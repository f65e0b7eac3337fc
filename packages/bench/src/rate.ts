import type { Environment } from './environment.js'
import { type Goal, judge } from './goal.js'
import { countOf, type Measurement, measure, type Rounds } from './measure.js'
import { multipart, oneLine, sizeOf } from './messages.js'
import type { Section } from './section.js'
import { CONNECTIONS, MAKERS, type Target } from './senders.js'
import { ROUND_TRIP_MS } from './sink-ports.js'

/** Emails in progress at the same time: more than the connections, so that some always wait. */
const CONCURRENCY = 50

const ONE_LINE = 'a one-line text'

/** The ratios to reach. */
interface Goals {
  readonly rate?: number
  readonly cpu?: number
}

/** Rate and CPU over TLS on the loopback interface, where CPU is the only limit. */
export async function measureNear(env: Environment): Promise<Section[]> {
  const target = { port: env.near, cert: env.cert }
  const rounds = {
    rounds: env.rounds(20),
    perRound: 400,
    concurrency: CONCURRENCY,
    warmUp: 4000,
    leadIn: 100,
  }
  return [
    await measureCase(env, `${ONE_LINE}, loopback`, oneLine, target, rounds, { rate: 1.2, cpu: 0.9 }),
    await measureCase(env, `${await multipartTitle()}, loopback`, multipart, target, rounds, {
      rate: 1.3,
      cpu: 0.85,
    }),
  ]
}

/** The same over a line with a round trip, which is the limit there; once with all emails sent at once. */
export async function measureFar(env: Environment): Promise<Section[]> {
  const target = { port: env.far, cert: env.cert }
  // Many emails for each connection: the first one of a round needs one more round trip, for its envelope.
  const perRound = 400
  const rounds = { rounds: env.rounds(2), perRound, concurrency: CONCURRENCY, warmUp: 100 }
  const atOnce = { ...rounds, concurrency: perRound }
  const line = `${ROUND_TRIP_MS} ms round trip`
  const goals = { rate: 1.85 }
  return [
    await measureCase(env, `${ONE_LINE}, ${line}, all at once`, oneLine, target, atOnce, goals),
    await measureCase(env, `${await multipartTitle()}, ${line}`, multipart, target, rounds, goals),
  ]
}

/** The same in clear, on the loopback interface. */
export async function measureClear(env: Environment): Promise<Section[]> {
  const target = { port: env.near, cert: undefined }
  const rounds = {
    rounds: env.rounds(10),
    perRound: 400,
    concurrency: CONCURRENCY,
    warmUp: 4000,
    leadIn: 100,
  }
  return [await measureCase(env, `${ONE_LINE}, loopback, without TLS`, oneLine, target, rounds, {})]
}

async function measureCase(
  env: Environment,
  title: string,
  message: object,
  target: Target,
  rounds: Rounds,
  goals: Goals,
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
  env.tally(senders.length * countOf(rounds))
  const [first] = results
  return {
    title: `Sending ${title}, ${CONNECTIONS} connections`,
    headings: ['sent by', 'mails/s', 'CPU µs/mail', 'rate vs. plain', 'CPU vs. plain', 'goal'],
    rows: results.map((result, index) => toRow(result, first!, index === 1 ? goals : {})),
    charts: [
      { column: 3, better: 'higher' },
      { column: 4, better: 'lower' },
    ],
  }
}

function toRow(
  { name, perSecond, cpuMicros }: Measurement,
  first: Measurement,
  { rate, cpu }: Goals,
): (string | number)[] {
  const rateRatio = perSecond / first.perSecond
  const cpuRatio = cpuMicros / first.cpuMicros
  const goals: [Goal, number][] = []
  if (rate) goals.push([{ of: 'rate', is: 'at least', limit: rate }, rateRatio])
  if (cpu) goals.push([{ of: 'CPU', is: 'at most', limit: cpu }, cpuRatio])
  const goal = goals.map(([each, found]) => judge(each, found)).join('; ')
  return [name, perSecond, cpuMicros, rateRatio, cpuRatio, goal]
}

async function multipartTitle(): Promise<string> {
  return `text and HTML, ${((await sizeOf(multipart)) / 1000).toFixed(1)} kB`
}
