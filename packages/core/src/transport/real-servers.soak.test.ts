import {
  aiosmtpdMissing,
  eximMissing,
  harakaMissing,
  postfixMissing,
  REAL_SERVER_BYTES,
  REFUSALS,
  type RealServer,
  size,
  startAiosmtpd,
  startCountedSmtpServer,
  startExim,
  startHaraka,
  startPostfix,
} from '@postmark-smtp/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type AuthMethod,
  createPostmarkTransport,
  deliveryOutcome,
  type PostmarkTransportOptions,
} from '../index.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const users = [{ user: TOKEN, pass: TOKEN }]
const SLOW_MS = 120_000

interface Kind {
  readonly name: string
  readonly missing: string | undefined
  readonly methods: readonly AuthMethod[]
  /** What it logs of a connection that ends in order. */
  readonly ended?: RegExp
  /** Whether it announces PIPELINING and cannot take two emails in one write: learning that costs a connection. */
  readonly breaksGroups?: true
  /** With what it refuses an email that is too large; default 552. */
  readonly tooLarge?: number
  start(): Promise<RealServer>
}

const KINDS: readonly Kind[] = [
  {
    name: 'Postfix',
    missing: postfixMissing(),
    methods: ['PLAIN', 'LOGIN', 'CRAM-MD5', 'DIGEST-MD5'],
    ended: /disconnect from .* quit=1/,
    start: () => startPostfix({ users }),
  },
  {
    name: 'Exim',
    missing: await eximMissing(),
    methods: ['PLAIN', 'LOGIN', 'CRAM-MD5'],
    ended: /closed by QUIT/,
    start: () => startExim({ users }),
  },
  {
    name: 'aiosmtpd',
    missing: aiosmtpdMissing(),
    methods: ['PLAIN', 'LOGIN'],
    start: () => startAiosmtpd({ users }),
  },
  {
    name: 'smtp-server',
    missing: undefined,
    methods: ['PLAIN', 'LOGIN', 'CRAM-MD5'],
    start: () => startCountedSmtpServer({ users }),
  },
  {
    name: 'Haraka',
    missing: await harakaMissing(),
    methods: ['PLAIN', 'LOGIN', 'CRAM-MD5'],
    breaksGroups: true,
    tooLarge: 550,
    start: () => startHaraka({ users }),
  },
]
const isSkipped = ({ missing }: Kind) => missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
for (const kind of KINDS) if (isSkipped(kind)) console.warn(`Skipped: ${kind.missing}`)

let last = 0

describe.each(KINDS)('$name', (kind) => {
  describe.skipIf(isSkipped(kind))('as it is', () => {
    let server: RealServer
    beforeAll(async () => {
      server = await kind.start()
    }, SLOW_MS)
    afterAll(() => server?.close(), SLOW_MS)

    /** A transporter, which is closed at the end. */
    function open(options: Partial<PostmarkTransportOptions> = {}) {
      const { host, port, ca } = server
      const transporter = createPostmarkTransport({
        serverToken: TOKEN,
        host,
        ports: [port],
        tls: { ca },
        preflight: 'warn',
        retry: { attempts: 1 },
        ...options,
      } as PostmarkTransportOptions)
      /** Sends an email whose sender and subject are its own. */
      const send = async (what: object = {}, sender = `mail-${++last}`) => {
        const from = `${sender}@example.com`
        const message = { from, to: 'b@example.com', subject: sender, text: 'Hello', ...what }
        try {
          const { accepted, rejected, postmark } = await transporter.sendMail(message)
          return { from, outcome: 'sent', accepted, rejected, attempts: postmark.attempts }
        } catch (error) {
          const { responseCode } = error as { responseCode?: number }
          return { from, outcome: deliveryOutcome(error), responseCode }
        }
      }
      /** The emails that the server took, each copy once; an email of its own comes last, so that the log is up to date. */
      const taken = async () => {
        const marker = await send()
        await server.waitForTaken(marker.from)
        return server.taken().filter(({ from }) => from !== marker.from)
      }
      return { send, taken, close: transporter.close, [Symbol.asyncDispose]: () => transporter.close() }
    }

    it.each(kind.methods)('takes an email after %s', async (authMethod) => {
      await using set = open({ authMethod })
      const { from, ...result } = await set.send()
      expect(result).toMatchObject({ outcome: 'sent', attempts: 1 })
      await server.waitForTaken(from)
    })

    it.each(kind.methods)('refuses a wrong token after %s', async (authMethod) => {
      await using set = open({ authMethod, serverToken: TOKEN.replace('6', '7') })
      expect(await set.send()).toMatchObject({ outcome: 'not-sent', responseCode: 535 })
    })

    it('takes an email for those recipients that it does not refuse, and says whom it refused', async () => {
      await using set = open()
      const refused = [`${REFUSALS.recipient}@example.com`, `${REFUSALS.recipientForNow}@example.com`]
      const to = ['a@example.com', ...refused, 'd@example.com']
      const result = await set.send({ to })
      expect(result).toMatchObject({
        outcome: 'sent',
        rejected: refused,
        accepted: ['a@example.com', 'd@example.com'],
      })
      const copies = (await set.taken()).filter(({ from }) => from === result.from)
      expect(copies.map(({ recipients }) => recipients)).toEqual([2])
    })

    it.each([
      [REFUSALS.recipient, 'rejected'],
      [REFUSALS.recipientForNow, 'deferred'],
    ])('takes nothing where every recipient is refused: %s', async (recipient, outcome) => {
      await using set = open()
      const result = await set.send({ to: `${recipient}@example.com` })
      expect(result.outcome).toBe(outcome)
      expect((await set.taken()).filter(({ from }) => from === result.from)).toEqual([])
    })

    it.each([
      [REFUSALS.body, 'rejected'],
      [REFUSALS.bodyForNow, 'deferred'],
    ])('takes nothing where the body is refused at its end: %s', async (sender, outcome) => {
      await using set = open()
      const result = await set.send({}, `${sender}-${++last}`)
      expect(result.outcome).toBe(outcome)
      expect((await set.taken()).filter(({ from }) => from === result.from)).toEqual([])
    })

    it('takes an email with 8-bit characters in a raw message', async () => {
      await using set = open()
      const raw = 'From: a@example.com\r\nSubject: raw\r\n\r\nGr\u00fc\u00dfe\r\n.\r\n..\r\n'
      const { from, outcome } = await set.send({
        raw,
        envelope: { from: `raw-${++last}@example.com`, to: 'b@example.com' },
      })
      expect(outcome, from).toBe('sent')
    })

    it('takes an email of nearly 10 MB once, and refuses a larger one', { timeout: SLOW_MS }, async () => {
      await using set = open()
      const attachment = (bytes: number) => ({
        attachments: [{ filename: 'a.bin', content: Buffer.alloc(bytes, 'x') }],
      })
      // Base64 makes four bytes of three, and 78 of 76.
      const most = Math.floor((REAL_SERVER_BYTES - 4096) * (3 / 4) * (76 / 78))
      const large = await set.send(attachment(most))
      expect(large.outcome).toBe('sent')
      const larger = await set.send(attachment(most * 1.1))
      expect(larger).toMatchObject({ outcome: 'rejected', responseCode: kind.tooLarge ?? 552 })
      const taken = await set.taken()
      expect(taken.filter(({ from }) => from === large.from || from === larger.from)).toHaveLength(1)
    })

    // Before the many mails: what their connections end with comes late into a log.
    it('sees a connection end in order, with QUIT and an end of TLS', async () => {
      const before = server.log.length
      const set = open()
      const { from } = await set.send()
      await server.waitForTaken(from)
      await set.close()
      const log = () => server.log.slice(before)
      if (kind.ended) await expect.poll(log).toMatch(kind.ended)
      expect(log()).not.toMatch(/properly|TLS error|lost|unexpected/i)
    })

    it('loses and doubles none of many emails at once, with refusals among them', {
      timeout: SLOW_MS,
    }, async () => {
      const before = server.connections()
      await using set = open()
      const kinds = [
        { outcome: 'sent', what: {}, sender: 'many' },
        { outcome: 'rejected', what: {}, sender: REFUSALS.body },
        { outcome: 'sent', what: {}, sender: 'many' },
        { outcome: 'deferred', what: {}, sender: REFUSALS.bodyForNow },
        { outcome: 'sent', what: {}, sender: 'many' },
        { outcome: 'rejected', what: { to: `${REFUSALS.recipient}@example.com` }, sender: 'many' },
        {
          outcome: 'sent',
          what: { to: ['a@example.com', `${REFUSALS.recipient}@example.com`] },
          sender: 'many',
        },
        { outcome: 'deferred', what: { to: `${REFUSALS.recipientForNow}@example.com` }, sender: 'many' },
      ]
      const count = size(500, 2.5)
      const results = await Promise.all(
        Array.from({ length: count }, async (_, index) => {
          const { outcome, what, sender } = kinds[index % kinds.length]!
          return { expected: outcome, ...(await set.send(what, `${sender}-${++last}`)) }
        }),
      )
      const taken = await set.taken()
      const used = server.connections() - before
      const wrong = results.filter(({ expected, outcome }) => outcome !== expected)
      expect(wrong).toEqual([])
      for (const { from, outcome } of results) {
        const copies = taken.filter((mail) => mail.from === from)
        expect(copies, from).toHaveLength(outcome === 'sent' ? 1 : 0)
        expect(`${copies[0]?.subject ?? from.replace('@example.com', '')}@example.com`).toBe(from)
      }
      console.info(`${kind.name}: ${count} emails over ${used} connections`)
      // No refusal costs a connection, except with Exim, which hangs up after so many RSETs with no email between them: by
      // BDAT a connection is replaced before ten emails on it were refused, by DATA Exim hangs up on its own.
      const hangUps = server.log.match(/too many nonmail commands/g)?.length ?? 0
      const refusals = results.filter(({ outcome }) => outcome !== 'sent').length
      const replaced = kind.name === 'Exim' ? Math.ceil(refusals / 10) : 0
      expect(used - hangUps).toBeLessThanOrEqual((kind.breaksGroups ? 11 : 10) + replaced)
    })
  })
})
