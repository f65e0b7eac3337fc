import {
  createMemorySendOnce,
  createPostmarkTransport,
  type PostmarkTransporter,
  sendBatch,
} from '@postmark-smtp/core'
import type { Environment } from './environment.js'
import { type Goal, judge } from './goal.js'
import { type Contender, countOf, type Measurement, measure, type Rounds } from './measure.js'
import { longNewsletter, sizeOf } from './messages.js'
import type { Section } from './section.js'
import { CONNECTIONS, plain, type Target, TOKEN } from './senders.js'
import { ROUND_TRIP_MS } from './sink-ports.js'

/** Emails that the plain pool has in progress at the same time. */
const CONCURRENCY = 50

const { html, ...others } = longNewsletter as { html: string; text: string; subject: string; from: string }
const { text, subject, from } = others
const recipient = (index: number) => `reader-${index}@example.com`

function transporterTo({ port, cert }: Target, options: object = {}): PostmarkTransporter {
  return createPostmarkTransport({
    serverToken: TOKEN,
    host: '127.0.0.1',
    ports: [port],
    tls: { ca: cert },
    messageStream: 'news',
    streams: { news: { type: 'broadcasts' } },
    pool: { maxConnections: CONNECTIONS, maxMessages: Infinity },
    ...options,
  })
}

/** Sends a number of emails in one batch. */
async function runBatch(
  transporter: PostmarkTransporter,
  from: number,
  count: number,
  options: object,
  own: (index: number) => object = () => ({}),
): Promise<void> {
  function* readers() {
    for (let index = from; index < from + count; index++)
      yield { to: recipient(index), key: String(index), ...own(index) }
  }
  for await (const result of sendBatch(transporter, readers(), options))
    if (result.outcome !== 'sent') throw new Error(`Mail ${result.index} was not sent: ${result.outcome}`)
}

/** A newsletter to many, against a loop over plain Nodemailer's pool: on loopback, where CPU is the limit, and far away. */
export async function measureBulk(env: Environment): Promise<Section[]> {
  const near = { port: env.near, cert: env.cert }
  const far = { port: env.far, cert: env.cert }
  const kB = Math.round((await sizeOf(longNewsletter)) / 1000)
  const onLoopback = {
    rounds: env.rounds(10),
    perRound: 400,
    concurrency: CONCURRENCY,
    warmUp: 2000,
    leadIn: 100,
  }
  const farAway = { rounds: env.rounds(2), perRound: 400, concurrency: CONCURRENCY, warmUp: 100 }
  const shared = await measureCase(
    env,
    `shared content of ${kB} kB, loopback`,
    near,
    onLoopback,
    () => ({}),
    {
      batch: 4,
      once: 3.5,
    },
  )
  const own = await measureCase(
    env,
    `different HTML in each email, ${kB} kB, loopback`,
    near,
    onLoopback,
    (index) => ({ html: `<p>${index}</p>${html}` }),
    { batch: 1.3 },
  )
  const distant = await measureCase(
    env,
    `shared content of ${kB} kB, ${ROUND_TRIP_MS} ms round trip`,
    far,
    farAway,
    () => ({}),
    { batch: 1.9 },
  )
  return [shared, own, distant]
}

/** Ratios of rates to reach. */
interface Goals {
  readonly batch: number
  readonly once?: number
}

async function measureCase(
  env: Environment,
  title: string,
  target: Target,
  rounds: Rounds,
  own: (index: number) => object,
  goals: Goals,
): Promise<Section> {
  const pool = plain(target)
  const poolAgain = plain(target)
  const ours = transporterTo(target)
  const once = transporterTo(target, { sendOnce: createMemorySendOnce({ maxKeys: 1_000_000 }) })
  const message = { from, subject, text, html }
  const loop = (name: string, sender: typeof pool): Contender => ({
    name,
    send: (index) =>
      env.inRequest(() => sender.sendMail({ ...message, to: recipient(index), ...own(index) })),
  })
  let sent = 0
  const batch = (name: string, transporter: PostmarkTransporter, options: object): Contender => ({
    name,
    run: (count) => {
      const first = sent
      sent += count
      return env.inRequest(() => runBatch(transporter, first, count, { message, ...options }, own))
    },
  })
  const contenders = [
    loop('a loop over plain Nodemailer', pool),
    batch('sendBatch', ours, {}),
    batch('sendBatch with sendOnce in memory', once, { sendOnce: true }),
    loop('plain Nodemailer again', poolAgain),
  ]
  const results = await measure(contenders, rounds)
  for (const each of [pool, poolAgain, ours, once]) await each.close()
  env.tally(contenders.length * countOf(rounds))
  const [first] = results
  return {
    title: `Bulk: ${title}, ${CONNECTIONS} connections`,
    headings: ['sent by', 'mails/s', 'CPU µs/mail', 'rate vs. plain', 'CPU vs. plain', 'limit', 'goal'],
    rows: results.map((result, index) =>
      toRow(
        result,
        first!,
        target.port === env.far,
        index === 1 ? goals.batch : index === 2 ? goals.once : undefined,
      ),
    ),
    charts: [
      { column: 3, better: 'higher' },
      { column: 4, better: 'lower' },
    ],
  }
}

/** Far away, round trips set the limit: one for each email and connection with sendBatch, two without. */
function toRow(
  { name, perSecond, cpuMicros }: Measurement,
  first: Measurement,
  isFar: boolean,
  limit: number | undefined,
): (string | number)[] {
  const ratio = perSecond / first.perSecond
  const goal: Goal | undefined = limit === undefined ? undefined : { of: 'rate', is: 'at least', limit }
  const trips = name.startsWith('sendBatch') ? 1 : 2
  const most = (CONNECTIONS * 1000) / (ROUND_TRIP_MS * trips)
  const cpu = cpuMicros / first.cpuMicros
  return [
    name,
    perSecond,
    cpuMicros,
    ratio,
    cpu,
    isFar ? `round trips: ${most} mails/s` : 'CPU',
    goal ? judge(goal, ratio) : '',
  ]
}
