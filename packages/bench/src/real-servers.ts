import { createPostmarkTransport } from '@postmark-smtp/core'
import {
  eximMissing,
  postfixMissing,
  REFUSALS,
  type RealServer,
  startExim,
  startPostfix,
  startTcpProxy,
} from '@postmark-smtp/testing'
import { createTransport } from 'nodemailer'
import type { Environment } from './environment.js'
import { judge } from './goal.js'
import { type Contender, measure } from './measure.js'
import type { Section } from './section.js'
import { CONNECTIONS, type Sender, TOKEN } from './senders.js'
import { ROUND_TRIP_MS } from './sink-ports.js'

const users = [{ user: TOKEN, pass: TOKEN }]

/** The connections of a sender, and how far ahead it must be with them. */
const CASES = [
  { connections: CONNECTIONS, perRound: 1000, goal: 5 },
  { connections: 1, perRound: 150, goal: 15 },
]

/** Postfix and Exim, which offer CHUNKING, over TLS and a slow line; of a hundred emails, some are refused. */
export async function measureRealServers(env: Environment): Promise<Section[]> {
  const kinds = [
    { name: 'Postfix', missing: postfixMissing(), start: () => startPostfix({ users }) },
    { name: 'Exim', missing: await eximMissing(), start: () => startExim({ users }) },
  ]
  const sections: Section[] = []
  for (const { name, missing, start } of kinds) {
    if (missing !== undefined) {
      process.stderr.write(`Skipped: ${missing}\n`)
      continue
    }
    for (const each of CASES) {
      await using server = await start()
      sections.push(await measureCase(env, name, server, each))
    }
  }
  return sections
}

async function measureCase(
  env: Environment,
  name: string,
  server: RealServer,
  { connections, perRound, goal }: (typeof CASES)[number],
): Promise<Section> {
  await using line = await startTcpProxy(server, { delayMs: ROUND_TRIP_MS / 2 })
  const { port } = line
  const tls = { ca: server.ca }
  const plain = () =>
    createTransport({
      ...{ host: '127.0.0.1', port, requireTLS: true, tls, auth: { user: TOKEN, pass: TOKEN } },
      ...{ pool: true, maxConnections: connections, maxMessages: Number.POSITIVE_INFINITY },
    })
  const ours = (maxInFlight: number) =>
    createPostmarkTransport({
      ...{ serverToken: TOKEN, host: '127.0.0.1', ports: [port], tls },
      pool: { maxConnections: connections, maxMessages: Number.POSITIVE_INFINITY, maxInFlight },
      retry: { attempts: 1 },
    })
  const senders: { name: string; sender: Sender }[] = [
    { name: 'plain Nodemailer', sender: plain() },
    ...[1, 4, 10].map((mails) => ({ name: `ours, ${mails} in flight`, sender: ours(mails) })),
  ]
  let sent = 0
  const contenders = senders.map(
    ({ name: sentBy, sender }): Contender => ({
      name: sentBy,
      send: (index) =>
        env.inRequest(async () => {
          await sender.sendMail(toMessage(index)).then(
            () => sent++,
            (error: { responseCode?: unknown }) => {
              if (error.responseCode === undefined) throw error
            },
          )
        }),
    }),
  )
  const rounds = { rounds: env.rounds(2), perRound, concurrency: 15 * connections, warmUp: 20 }
  const results = await measure(contenders, rounds)
  for (const { sender } of senders) await sender.close()
  const direct = createTransport({
    host: '127.0.0.1',
    port: server.port,
    tls,
    auth: { user: TOKEN, pass: TOKEN },
  })
  await direct.sendMail({ ...toMessage(0), from: 'last@example.com' })
  await server.waitForTaken('last@example.com')
  const taken = server.taken().length - 1
  if (taken !== sent) throw new Error(`${sent} emails were sent, but ${name} took ${taken}`)
  const [first] = results
  return {
    title: `${name}, refusing 1 % of emails at MAIL, 5 % at RCPT and 4 % at the body, ${ROUND_TRIP_MS} ms round trip, connections: ${connections}`,
    headings: ['sent by', 'mails/s', 'CPU µs/mail', 'rate vs. plain', 'goal'],
    rows: results.map(({ name: sentBy, perSecond, cpuMicros }, index) => {
      const ratio = perSecond / first!.perSecond
      const isLast = index === results.length - 1
      const reached = isLast ? judge({ of: 'rate', is: 'at least', limit: goal }, ratio) : ''
      return [sentBy, perSecond, cpuMicros, ratio, reached]
    }),
    charts: [{ column: 3, better: 'higher' }],
  }
}

/** An email that is refused at MAIL, RCPT or its body, or taken. */
function toMessage(index: number): object {
  const of100 = index % 100
  const isOneOf = (each: number, offset: number) => of100 < 96 && of100 % each === offset
  const sender = isOneOf(96, 1) ? REFUSALS.sender : isOneOf(24, 7) ? REFUSALS.bodyForNow : 'shop'
  const recipient = isOneOf(19, 5) ? REFUSALS.recipient : 'customer'
  return {
    from: `${sender}@example.com`,
    to: `${recipient}@example.com`,
    subject: 'Your order has been sent',
    text: 'Your order is on its way.',
  }
}
