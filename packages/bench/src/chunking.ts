import { createPostmarkTransport } from '@postmark-smtp/core'
import { createTransport } from 'nodemailer'
import type { Environment } from './environment.js'
import { judge } from './goal.js'
import { type Contender, countOf, measure } from './measure.js'
import { oneLine } from './messages.js'
import type { Section } from './section.js'
import { CONNECTIONS, TOKEN } from './senders.js'
import { ROUND_TRIP_MS } from './sink-ports.js'

/** What a table compares. */
interface Case {
  readonly title: string
  readonly port: number
  readonly connections: number
  readonly perRound: number
  /** For the last row: whole emails, as many in flight as in a batch. */
  readonly goal: number
}

/**
 * Measures whole emails sent back to back, which the server allows with CHUNKING: the rate by the number in flight on
 * each connection, which is also how many are unknown if it breaks. With one in flight, it is the rate of grouping.
 */
export async function measureChunking(env: Environment): Promise<Section[]> {
  const { near, far } = env.chunking
  const line = `${ROUND_TRIP_MS} ms round trip`
  return [
    await measureCase(env, {
      ...{ title: line, port: far, connections: CONNECTIONS, perRound: 1000, goal: 5 },
    }),
    await measureCase(env, { title: line, port: far, connections: 1, perRound: 100, goal: 15 }),
    await measureCase(env, {
      ...{ title: 'loopback', port: near, connections: CONNECTIONS, perRound: 400, goal: 1.2 },
    }),
  ]
}

async function measureCase(
  env: Environment,
  { title, port, connections, perRound, goal }: Case,
): Promise<Section> {
  const plain = () =>
    createTransport({
      ...{
        host: '127.0.0.1',
        port,
        requireTLS: true,
        tls: { ca: env.cert },
        auth: { user: TOKEN, pass: TOKEN },
      },
      ...{ pool: true, maxConnections: connections, maxMessages: Number.POSITIVE_INFINITY },
    })
  const ours = (maxInFlight: number) =>
    createPostmarkTransport({
      ...{ serverToken: TOKEN, host: '127.0.0.1', ports: [port], tls: { ca: env.cert } },
      pool: { maxConnections: connections, maxMessages: Number.POSITIVE_INFINITY, maxInFlight },
    })
  const senders = [
    { name: 'plain Nodemailer', sender: plain() },
    ...[1, 2, 4, 10].map((mails) => ({ name: `ours, ${mails} in flight`, sender: ours(mails) })),
  ]
  const contenders = senders.map(
    ({ name, sender }): Contender => ({
      name,
      send: () => env.inRequest((): Promise<unknown> => sender.sendMail(oneLine)),
    }),
  )
  const rounds = { rounds: env.rounds(2), perRound, concurrency: 15 * connections, warmUp: 20 }
  const results = await measure(contenders, rounds)
  for (const { sender } of senders) await sender.close()
  env.tally(contenders.length * countOf(rounds))
  const [first] = results
  return {
    title: `Whole emails back to back, ${title}, connections: ${connections}`,
    headings: ['sent by', 'mails/s', 'CPU µs/mail', 'rate vs. plain', 'goal'],
    rows: results.map(({ name, perSecond, cpuMicros }, index) => {
      const ratio = perSecond / first!.perSecond
      const isLast = index === results.length - 1
      const reached = isLast ? judge({ of: 'rate', is: 'at least', limit: goal }, ratio) : ''
      return [name, perSecond, cpuMicros, ratio, reached]
    }),
    charts: [{ column: 3, better: 'higher' }],
  }
}
