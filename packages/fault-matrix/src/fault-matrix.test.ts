import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { inspect } from 'node:util'
import { createPostmarkTransport, deliveryOutcome } from '@postmark-smtp/core'
import {
  FAULT_PHASES,
  type Fault,
  type FaultPhase,
  type FaultScript,
  startFaultServer,
} from '@postmark-smtp/sandbox/faults'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const SECRETS = [TOKEN, btoa(TOKEN), btoa(`\0${TOKEN}\0${TOKEN}`)]
const ATTEMPTS = 2

// For the stalls, which are all waiting.
vi.setConfig({ maxConcurrency: 40 })

/** What becomes of a mail, by the rules of the design. */
interface Verdict {
  /** What is reported where the fault strikes every time. */
  readonly outcome: 'sent' | 'not-sent' | 'rejected' | 'deferred' | 'unknown'
  /** Whether it is tried again. */
  readonly retried: boolean
  /** How many copies each attempt leaves with the server. */
  readonly copies: 0 | 1
}

const SENT: Verdict = { outcome: 'sent', retried: false, copies: 1 }
/** The connection was lost, or none came about. */
const LOST: Verdict = { outcome: 'not-sent', retried: true, copies: 0 }
/** No other attempt would end better: a refused login, no TLS, an answer that is none. */
const HOPELESS: Verdict = { outcome: 'not-sent', retried: false, copies: 0 }
const DEFERRED: Verdict = { outcome: 'deferred', retried: true, copies: 0 }
const REJECTED: Verdict = { outcome: 'rejected', retried: false, copies: 0 }
const UNKNOWN: Verdict = { outcome: 'unknown', retried: false, copies: 0 }
const UNKNOWN_BUT_TAKEN: Verdict = { outcome: 'unknown', retried: false, copies: 1 }

const reset = { kind: 'reset' } as const
const cut = { kind: 'cut' } as const
const cutHalf = { kind: 'cut', half: true } as const
const stall = { kind: 'stall' } as const
const stallHalf = { kind: 'stall', half: true } as const
const garble = { kind: 'garble' } as const
const delay = { kind: 'delay', ms: 20 } as const
const reply = (code: number) => ({ kind: 'reply', code }) as const
const accepted = true
const LARGE = { afterBytes: 100_000 }

type Row = readonly [fault: object, verdict: Verdict]

/** Faults that mean the same wherever the connection is made or a command answered. */
const BROKEN: readonly Row[] = [
  [reset, LOST],
  [cut, LOST],
  [stall, LOST],
  [delay, SENT],
]
const ANSWERED: readonly Row[] = [
  ...BROKEN,
  [cutHalf, LOST],
  [reply(421), DEFERRED],
  [reply(451), DEFERRED],
  [reply(554), REJECTED],
]

const MATRIX: Readonly<Record<FaultPhase, readonly Row[]>> = {
  connect: [...BROKEN, [garble, LOST]],
  greeting: [...ANSWERED, [stallHalf, LOST], [garble, LOST]],
  ehlo: [...ANSWERED, [stallHalf, LOST], [garble, LOST]],
  starttls: [
    ...BROKEN,
    [cutHalf, LOST],
    [reply(421), DEFERRED],
    [reply(454), DEFERRED],
    [reply(554), HOPELESS],
    [garble, HOPELESS],
    [{ kind: 'missing' }, HOPELESS],
  ],
  tls: [...BROKEN, [garble, HOPELESS], [{ kind: 'certificate' }, HOPELESS]],
  'ehlo-tls': [...ANSWERED, [garble, LOST]],
  auth: [
    ...BROKEN,
    [cutHalf, LOST],
    [reply(421), DEFERRED],
    [reply(454), DEFERRED],
    [reply(535), HOPELESS],
    [{ kind: 'echo' }, HOPELESS],
    [garble, HOPELESS],
  ],
  mail: [...ANSWERED, [garble, HOPELESS]],
  rcpt: [...ANSWERED, [garble, HOPELESS]],
  data: [...ANSWERED, [garble, HOPELESS]],
  body: [
    // A small body was out before anybody could know that it did not arrive.
    [reset, UNKNOWN],
    [cut, UNKNOWN],
    [stall, UNKNOWN],
    [garble, UNKNOWN_BUT_TAKEN],
    [delay, SENT],
    [reply(421), DEFERRED],
    [reply(451), DEFERRED],
    [reply(552), REJECTED],
  ],
  dot: [
    [reset, UNKNOWN],
    [cut, UNKNOWN],
    [cutHalf, UNKNOWN],
    [stall, UNKNOWN],
    [stallHalf, UNKNOWN],
    [garble, UNKNOWN],
    [{ ...garble, bytes: '2!? what is this\r\n' }, UNKNOWN],
    [{ ...garble, bytes: '25\r\n' }, UNKNOWN],
    [{ ...garble, bytes: '45? what is this\r\n' }, UNKNOWN],
    [{ ...reset, accepted }, UNKNOWN_BUT_TAKEN],
    [{ ...cut, accepted }, UNKNOWN_BUT_TAKEN],
    [{ ...cutHalf, accepted }, UNKNOWN_BUT_TAKEN],
    [{ ...stall, accepted }, UNKNOWN_BUT_TAKEN],
    [{ ...stallHalf, accepted }, UNKNOWN_BUT_TAKEN],
    [{ ...garble, accepted }, UNKNOWN_BUT_TAKEN],
    [delay, SENT],
    [reply(250), SENT],
    [reply(421), DEFERRED],
    [reply(451), DEFERRED],
    [reply(554), REJECTED],
  ],
  after: [reset, cut, stall, garble, reply(421)].map((fault) => [fault, SENT]),
}

/** In a body that takes its time, a fault comes before the end is out. */
const LARGE_BODY: readonly Row[] = [
  [{ ...reset, ...LARGE }, LOST],
  [{ ...cut, ...LARGE }, LOST],
  [{ ...stall, ...LARGE }, LOST],
  [{ ...delay, ...LARGE }, SENT],
  [{ ...reply(451), ...LARGE }, DEFERRED],
  [{ ...reply(552), ...LARGE }, REJECTED],
]

const cells = FAULT_PHASES.flatMap((phase) => toCells(phase, MATRIX[phase]))

function toCells(phase: FaultPhase, rows: readonly Row[]) {
  return rows.map(([what, verdict]) => {
    const fault = { phase, ...what } as Fault
    return { name: nameOf(fault), fault, verdict }
  })
}

async function setUp(script: FaultScript, fault?: Fault) {
  const server = await startFaultServer({ script })
  const { host, port, ca } = server
  // Only a stall waits for a limit; elsewhere a slow machine must not run into one.
  const ms = fault?.kind !== 'stall' ? 20_000 : fault.afterBytes === undefined ? 1500 : 3000
  const transporter = createPostmarkTransport({
    serverToken: TOKEN,
    host,
    ports: [port],
    tls: { ca },
    preflight: 'warn',
    retry: { attempts: ATTEMPTS, baseMs: 1 },
    timeouts: { raceMs: ms, replyMs: ms, finalMs: ms },
  })
  const send = async (subject: string, content: object = { text: 'Hello' }) => {
    const mail = { from: 'a@example.com', to: 'b@example.com', subject, ...content }
    try {
      const { postmark } = await transporter.sendMail(mail)
      return { outcome: 'sent', attempts: postmark.attempts, notRetried: undefined, told: '' }
    } catch (error) {
      const { attempts, notRetried } = error as { attempts?: number; notRetried?: string }
      return { outcome: deliveryOutcome(error), attempts, notRetried, told: tell(error) }
    }
  }
  const copies = (subject: string) =>
    server.accepted.filter(({ raw }) => raw.includes(`Subject: ${subject}\r\n`)).length
  const end = async () => {
    await transporter.close({ deadlineMs: 1 })
    await server.close()
  }
  return { server, send, copies, [Symbol.asyncDispose]: end }
}

const tell = (error: unknown) => inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error)
const struck = (server: { connections: readonly { faults: readonly Fault[] }[] }) =>
  server.connections.flatMap(({ faults }) => faults).length

/** As a title: the kind, and what else there is to it. */
function nameOf({ phase, kind, ...rest }: Fault): string {
  return [phase, kind, ...Object.entries(rest).flat()].join(' ')
}

const SMALL_MAIL = { text: 'Hello' }
/** A mail that does not fit between the two ends: most of it is not read yet when the fault strikes. */
const LARGE_MAIL = { attachments: [{ path: '' }] }

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fault-matrix-'))
  const path = join(folder, 'large.txt')
  await writeFile(path, Buffer.alloc(10_000_000))
  LARGE_MAIL.attachments = [{ path }]
})
afterAll(() => rm(folder, { recursive: true }))

const isStall = ({ fault }: { fault: Fault }) => fault.kind === 'stall'
describe.each(cells.filter((cell) => !isStall(cell)))('a fault at $name', ({ fault, verdict }) =>
  prove(fault, verdict, SMALL_MAIL),
)
// Their limits are short, so that a machine that is busy elsewhere may run into one: hence the retry.
describe.concurrent.each(cells.filter(isStall))('a fault at $name', { retry: 2 }, ({ fault, verdict }) =>
  prove(fault, verdict, SMALL_MAIL),
)
describe.concurrent.each(toCells('body', LARGE_BODY))(
  'a fault at $name of a large mail',
  { retry: 2 },
  ({ fault, verdict }) => prove(fault, verdict, LARGE_MAIL),
)

function prove(fault: Fault, verdict: Verdict, mail: object): void {
  const { outcome, retried, copies } = verdict

  it(`is ${retried ? 'overcome by another attempt' : outcome} where it strikes once`, async () => {
    await using set = await setUp((connection, mail) => (connection + mail === 0 ? fault : undefined), fault)
    const result = await set.send('One', mail)
    expect(result).toMatchObject(retried ? { outcome: 'sent', attempts: 2 } : { outcome, attempts: 1 })
    // The next one goes through, whatever became of the first.
    expect(await set.send('Two')).toMatchObject({ outcome: 'sent' })
    expect([set.copies('One'), set.copies('Two')]).toEqual([retried ? 1 : copies, 1])
    expect(struck(set.server)).toBe(1)
  })

  it(`is reported as ${outcome} where it strikes each time`, async () => {
    await using set = await setUp(() => fault, fault)
    const { told, ...result } = await set.send('One', mail)
    const attempts = retried ? ATTEMPTS : 1
    expect(result).toMatchObject({ outcome, attempts })
    expect(set.copies('One')).toBe(copies)
    expect(struck(set.server)).toBe(attempts)
    for (const secret of SECRETS) expect(told).not.toContain(secret)
    if (['starttls', 'tls'].includes(fault.phase) && outcome !== 'sent')
      expect(set.server.commands.filter((line) => !/^(EHLO|STARTTLS|QUIT)/.test(line))).toEqual([])
  })
}

describe('a mail with a stream', () => {
  const attached = () => ({
    text: 'Hello',
    attachments: [{ filename: 'a.txt', content: Readable.from(['first ', 'second']) }],
  })
  const isWhole = ({ raw }: { raw: Buffer }) => raw.includes(btoa('first second'))

  it.each(['rcpt', 'dot'] as const)(
    'is not sent again after 451 at %s, and the error says why',
    async (phase) => {
      await using set = await setUp([{ phase, kind: 'reply', code: 451 }])
      const result = await set.send('One', attached())
      expect(result).toMatchObject({ outcome: 'deferred', attempts: 1 })
      expect(result.notRetried).toMatch(/stream/)
      expect(result.told).toContain('can be read only once')
      expect(set.server.accepted).toEqual([])
    },
  )

  it('is sent again where it was not touched', async () => {
    await using set = await setUp([{ phase: 'greeting', kind: 'cut' }])
    expect(await set.send('One', attached())).toMatchObject({ outcome: 'sent', attempts: 2 })
    expect(set.server.accepted.map(isWhole)).toEqual([true])
  })
})
