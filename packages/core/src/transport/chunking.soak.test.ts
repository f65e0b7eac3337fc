import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  eximMissing,
  type LoggedMail,
  postfixMissing,
  REFUSALS,
  type RealServer,
  size,
  startExim,
  startPostfix,
  startTcpProxy,
} from '@postmark-smtp/testing'
import { describe, expect, it } from 'vitest'
import { type ChunkingEvent, createPostmarkTransport, deliveryOutcome } from '../index.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const users = [{ user: TOKEN, pass: TOKEN }]
const SLOW_MS = 600_000
/** Half of a round trip of 50 ms. */
const DELAY_MS = 25
const CHANNEL = 'postmark-smtp:chunking'

interface Kind {
  readonly name: string
  readonly missing: string | undefined
  start(hangsUpAfter: number): Promise<RealServer>
}
const KINDS: readonly Kind[] = [
  {
    name: 'Postfix',
    missing: postfixMissing(),
    start: (hangsUpAfter) => startPostfix({ users, hardErrorLimit: 2 * hangsUpAfter }),
  },
  {
    name: 'Exim',
    missing: await eximMissing(),
    start: (hangsUpAfter) => startExim({ users, hangsUpAfter }),
  },
]
/** Refused envelopes after which both hang up as installed: each is two errors to Postfix. */
const USUAL = 10
const isSkipped = ({ missing }: (typeof KINDS)[number]) =>
  missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
for (const kind of KINDS) if (isSkipped(kind)) console.warn(`Skipped: ${kind.missing}`)

/**
 * Of a hundred emails, three have a sender that is refused, six a recipient, four a body, and two a part of their
 * recipients; and of three hundred, sixty in a row a recipient, for which a server hangs up.
 */
function toMail(index: number): { sender: string; to: string[]; expected: string } {
  const of100 = index % 100
  const to = ['a@example.com']
  const refused = `${REFUSALS.recipient}@example.com`
  if (index % 300 >= 20 && index % 300 < 80) return { sender: 'many', to: [refused], expected: 'rejected' }
  if (of100 % 33 === 1) return { sender: REFUSALS.sender, to, expected: 'rejected' }
  if (of100 % 16 === 5) return { sender: 'many', to: [refused], expected: 'rejected' }
  if (of100 % 25 === 7) return { sender: REFUSALS.bodyForNow, to, expected: 'deferred' }
  if (of100 % 50 === 9) return { sender: 'many', to: [refused, ...to], expected: 'sent' }
  return { sender: 'many', to, expected: 'sent' }
}

describe.each(KINDS)('whole emails that follow one another to $name', (kind) => {
  it
    .skipIf(isSkipped(kind))
    .each([
      { connections: 10 },
      { connections: 1 },
      { connections: 10, breaks: 'the line' as const },
      { connections: 10, breaks: 'the server' as const },
    ])(
    'fare as its own log has it ($connections connections, broken by: $breaks)',
    async ({ connections, breaks }) => {
      const events: ChunkingEvent[] = []
      const onEvent = (event: unknown) => void events.push(event as ChunkingEvent)
      subscribe(CHANNEL, onEvent)
      // It hangs up earlier than any that is known, in the midst of emails that are refused in a row.
      await using server = await kind.start(breaks === 'the server' ? 2 : USUAL)
      // TLS takes some 2 kB; the connection breaks in the midst of what follows.
      const cut = breaks === 'the line' ? { cutAfterBytes: 6_000 } : {}
      await using proxy = await startTcpProxy(server, { delayMs: DELAY_MS, ...cut })
      const options = {
        ...{ serverToken: TOKEN, host: '127.0.0.1', ports: [proxy.port], tls: { ca: server.ca } },
        ...{ preflight: 'warn' as const, pool: { maxConnections: connections, maxInFlight: 10 } },
        retry: { attempts: breaks ? 5 : 1, baseMs: 1 },
      }
      const transporter = createPostmarkTransport(options)
      const send = async (index: number) => {
        const { sender, to, expected } = toMail(index)
        const from = `${sender}-${index}@example.com`
        try {
          const { accepted } = await transporter.sendMail({
            from,
            to,
            subject: `${sender}-${index}`,
            text: '.\n..',
          })
          return { from, expected, outcome: 'sent', recipients: accepted.length }
        } catch (error) {
          return { from, expected, outcome: deliveryOutcome(error) as string, recipients: 0 }
        }
      }
      const count = size(600, 6, 5_000)
      const startedAt = performance.now()
      const results = await Promise.all(Array.from({ length: count }, (_, index) => send(index)))
      const perSecond = (count / (performance.now() - startedAt)) * 1000
      unsubscribe(CHANNEL, onEvent)
      await transporter.close()
      // The log comes later than the replies: it has this email once it has all others.
      await using direct = createPostmarkTransport({ ...options, ports: [server.port] })
      const marker = 'marker@example.com'
      await direct.sendMail({ from: marker, to: 'a@example.com', subject: 'marker', text: 'x' })
      await server.waitForTaken(marker)

      const copies = new Map<string, LoggedMail[]>()
      for (const mail of server.taken()) copies.set(mail.from, [...(copies.get(mail.from) ?? []), mail])
      copies.delete(marker)
      let unknown = 0
      for (const { from, outcome, expected, recipients } of results) {
        const own = copies.get(from) ?? []
        copies.delete(from)
        if (outcome === 'unknown' && breaks) {
          unknown++
          expect(own.length, from).toBeLessThanOrEqual(1)
        } else {
          // Where it hangs up, an email may have met nothing else as often as it was tried.
          const isSpent = breaks === 'the server' && outcome !== 'sent'
          if (!isSpent) expect([from, outcome]).toEqual([from, expected])
          expect([from, own.map((mail) => mail.recipients)]).toEqual([from, recipients ? [recipients] : []])
        }
        if (own[0]?.subject) expect(`${own[0].subject}@example.com`).toBe(from)
      }
      expect([...copies.keys()]).toEqual([])
      // Breaking is no reason to doubt the server.
      expect(events.map(({ chunking }) => chunking)).toEqual(['on'])
      const used = server.connections()
      expect(unknown).toBeLessThanOrEqual(10 * used)
      const hangUps = server.log.match(/too many (?:nonmail commands|errors)/g)?.length ?? 0
      if (breaks === 'the server') expect(hangUps).toBeGreaterThan(0)
      console.info(
        `${kind.name}: ${count} emails, ${Math.round(perSecond)} a second over ${connections} at once, ${used} in all; ${unknown} unknown; ${hangUps} hang-ups`,
      )
    },
    SLOW_MS,
  )
})

const exim = KINDS[1]!
it.skipIf(isSkipped(exim))('a 421 after which Exim goes on makes no email arrive twice', async () => {
  await using server = await exim.start(USUAL)
  await using transporter = createPostmarkTransport({
    ...{ serverToken: TOKEN, host: '127.0.0.1', ports: [server.port], tls: { ca: server.ca } },
    ...{ preflight: 'warn' as const, pool: { maxConnections: 1, maxInFlight: 10 }, retry: { attempts: 1 } },
  })
  const isGoodbye = (index: number) => index % 15 === 12
  const send = async (index: number) => {
    const to = `${isGoodbye(index) ? REFUSALS.recipientGoodbye : 'a'}@example.com`
    try {
      await transporter.sendMail({ from: `many-${index}@example.com`, to, subject: 'x', text: 'x' })
      return 'sent'
    } catch (error) {
      return deliveryOutcome(error)
    }
  }
  const indexes = Array.from({ length: 60 }, (_, index) => index)
  const outcomes = await Promise.all(indexes.map(send))
  await transporter.sendMail({ from: 'marker@example.com', to: 'a@example.com', subject: 'x', text: 'x' })
  await server.waitForTaken('marker@example.com')
  expect(outcomes).toEqual(indexes.map((index) => (isGoodbye(index) ? 'deferred' : 'sent')))
  const taken = server.taken().map(({ from }) => from)
  const expected = indexes.filter((index) => !isGoodbye(index)).map((index) => `many-${index}@example.com`)
  expect(taken.sort()).toEqual([...expected, 'marker@example.com'].sort())
})

const postfix = KINDS[0]!
it.skipIf(isSkipped(postfix))(
  'no email is in doubt where Postfix hangs up after as many refusals as is its default',
  async () => {
    await using server = await startPostfix({ users, hardErrorLimit: 20 })
    await using proxy = await startTcpProxy(server, { delayMs: 5 })
    await using transporter = createPostmarkTransport({
      ...{ serverToken: TOKEN, host: '127.0.0.1', ports: [proxy.port], tls: { ca: server.ca } },
      ...{ preflight: 'warn' as const, pool: { maxConnections: 1, maxInFlight: 10 }, retry: { attempts: 1 } },
    })
    const refused = (count: number) =>
      Array.from({ length: count }, (_, index) => `${REFUSALS.recipient}${index}@example.com`)
    const send = async (index: number) => {
      const sender = index % 40 >= 10 && index % 40 < 35 ? REFUSALS.bodyForNow : 'many'
      const to = ['a@example.com', ...(index % 2 ? refused(8) : [])]
      const isLong = index % 10 === 9
      try {
        await transporter.sendMail({
          from: `${sender}-${index}@example.com`,
          to: isLong ? refused(30) : to,
          subject: 'x',
          text: 'x',
        })
        return 'sent'
      } catch (error) {
        return deliveryOutcome(error)
      }
    }
    const outcomes = await Promise.all(Array.from({ length: size(120, 4) }, (_, index) => send(index)))
    expect(outcomes.filter((outcome) => outcome === 'unknown')).toEqual([])
    expect(server.log).toContain('too many errors')
  },
)
