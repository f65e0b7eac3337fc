import { AsyncLocalStorage } from 'node:async_hooks'
import { getEventListeners } from 'node:events'
import { Readable } from 'node:stream'
import {
  createScriptedServer,
  installVirtualClock,
  type ScriptedServerOptions,
  type StepContext,
  type StepFault,
} from '@postmark-smtp/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PostmarkError } from '../problems/error.js'
import { createRedactor } from '../problems/redact.js'
import { createGivenSockets } from '../smtp/given-socket.js'
import type { Pipelining } from '../smtp/grouping.js'
import { createPortRace } from '../smtp/race-ports.js'
import { Claim } from './claim.js'
import { ConnectionBudget } from './connection-budget.js'
import { Delivery } from './delivery.js'
import { createMemorySendOnce } from './memory-send-once.js'
import type { RetrySettings } from './retry.js'
import { Route } from './route.js'
import type { PoolSettings } from './route-plan.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
let clock: ReturnType<typeof installVirtualClock>

beforeEach(() => {
  clock = installVirtualClock()
})

afterEach(() => {
  const pending = clock.pending()
  clock.uninstall()
  expect(pending).toEqual([])
  vi.restoreAllMocks()
})

type Built = (error: Error | null, message: Buffer) => void

interface MailOptions {
  readonly data?: Record<string, unknown>
  /** In place of a message that is composed at once. */
  readonly build?: (done: Built) => void
  /** In place of a message that is composed in memory. */
  readonly open?: () => Readable
  /** Of an email that has an idempotency key. */
  readonly claim?: Claim
}

interface RouteOptions {
  readonly max?: number
  readonly pool?: Partial<PoolSettings>
  readonly retry?: Partial<RetrySettings>
  readonly pipelining?: Pipelining
  readonly budget?: ConnectionBudget
  readonly server?: ScriptedServerOptions
}

const bodyOf = (name: string) => Buffer.from(`Subject: ${name}\r\n\r\nHello\r\n`)

function setUp({ max = 2, server: serverOptions = {}, ...options }: RouteOptions = {}) {
  const server = createScriptedServer(clock, serverOptions)
  const budget = options.budget ?? new ConnectionBudget(max)
  let taken = 0
  const route = new Route(
    {
      session: {
        host: '127.0.0.1',
        opener: createGivenSockets(server.getSocket, '127.0.0.1', 587, createPortRace('127.0.0.1', [587])),
        tls: undefined,
        authMethod: undefined,
        login: () => ({ user: TOKEN, pass: TOKEN }),
        rotates: false,
        limits: { raceMs: 10_000, replyMs: 60_000, finalMs: 120_000 },
        logger: false,
        redactor: createRedactor(),
      },
      pool: {
        maxMessages: 100,
        maxAgeMs: 300_000,
        idleTimeoutMs: 30_000,
        inFlight: { single: 4, batch: 10 },
        ...options.pool,
      },
      retry: { attempts: 10, deadlineMs: 180_000, baseMs: 1_000, unknown: false, ...options.retry },
      pipelining: options.pipelining ?? 'auto',
      budget,
    },
    () => taken++,
  )
  const results = new Map<string, { readonly atMs: number; readonly error?: Error; readonly info?: object }>()
  const deliveries: Delivery[] = []
  const builds = new Map<string, number>()
  /** Hands an email over; its name is its subject. */
  const send = (name: string, { data = {}, build, open, claim }: MailOptions = {}): Delivery => {
    const message = {
      content: open ? {} : 'Hello',
      childNodes: [],
      getEnvelope: () => ({ from: `${name}@x.org`, to: [`${name}-to@x.org`] }),
      messageId: () => `<${name}@x.org>`,
      build: (done: Built) => {
        builds.set(name, (builds.get(name) ?? 0) + 1)
        if (build) build(done)
        else done(null, bodyOf(name))
      },
      createReadStream: open,
    }
    const event = { id: 1, stream: 'outbound', tag: undefined, host: '127.0.0.1', recipientCount: 1 }
    const delivery = new Delivery(
      { data, message },
      { ...event, attempt: 0, port: undefined, phase: 'queue' },
      route,
      (error, info) => {
        expect(results.has(name)).toBe(false)
        results.set(name, { atMs: clock.nowMs, ...(error ? { error } : {}), ...(info ? { info } : {}) })
      },
      claim,
    )
    deliveries.push(delivery)
    route.add(delivery)
    return delivery
  }
  /** What was told of each email, in short. */
  const told = () =>
    Object.fromEntries(
      [...results].map(([name, { error, info }]) => {
        if (info)
          return [name, `sent at attempt ${(info as { postmark: { attempts: number } }).postmark.attempts}`]
        const { outcome, attempts } = error as Error & { outcome: string; attempts: number }
        return [name, `${outcome} after ${attempts}`]
      }),
    )
  const errorOf = (name: string) => results.get(name)?.error as (Error & Record<string, unknown>) | undefined
  const subjects = () => server.taken.map(({ raw }) => /^Subject: (.*)\r$/m.exec(String(raw))?.[1])
  /** Lets everything that idles end. */
  const end = async () => {
    const closed = route.close(false)
    await clock.advance(10_000)
    await closed
    expect(server.openSockets()).toEqual([])
    expect(server.violations).toEqual([])
  }
  const names = (count: number, prefix = 'm') =>
    Array.from({ length: count }, (_, index) => `${prefix}${index}`)
  return {
    route,
    server,
    budget,
    send,
    results,
    told,
    errorOf,
    subjects,
    end,
    names,
    deliveries,
    builds,
    taken: () => taken,
  }
}

/** Strikes at a step, as often as there are faults. */
const faults = (step: string, ...given: Partial<StepFault>[]) => {
  const left = [...given]
  return (context: StepContext): StepFault | undefined =>
    context.step === step && left.length > 0 ? { step: context.step, ...left.shift() } : undefined
}

describe('emails and sessions', () => {
  it('sends an email, and closes the idle session after its time', async () => {
    const { send, told, server, subjects, results } = setUp()
    send('a')
    await clock.advance(100)
    expect([told(), subjects()]).toEqual([{ a: 'sent at attempt 1' }, ['a']])
    expect(results.get('a')!.info).toMatchObject({
      envelope: { from: 'a@x.org', to: ['a-to@x.org'] },
      messageId: '<a@x.org>',
      accepted: ['a-to@x.org'],
      rejected: [],
      response: '250 2.0.0 Ok: queued',
      messageSize: bodyOf('a').length,
      postmark: { host: '127.0.0.1', attempts: 1 },
    })
    await clock.advance(26_000)
    expect(server.openSockets()).toHaveLength(1)
    await clock.advance(8_000)
    expect([server.openSockets(), server.violations]).toEqual([[], []])
  })

  it('sends each of a burst once, over as many connections as there may be', async () => {
    const { send, names, subjects, server, end, taken } = setUp({ max: 3, server: { mailMs: 20 } })
    const all = names(40)
    for (const name of all) send(name)
    await clock.advance(5_000)
    expect(subjects().sort()).toEqual([...all].sort())
    expect([server.sessions.length, taken()]).toEqual([3, 40])
    await end()
  })

  it('opens no more connections than emails wait', async () => {
    const { send, server, end } = setUp({ max: 10 })
    send('a')
    send('b')
    await clock.advance(1_000)
    expect(server.sessions).toHaveLength(2)
    await end()
  })

  it('uses a session for `maxMessages` emails', async () => {
    const { send, names, server, subjects, end } = setUp({ max: 1, pool: { maxMessages: 3 } })
    for (const name of names(7)) send(name)
    await clock.advance(1_000)
    expect(subjects()).toEqual(names(7))
    expect(server.sessions.map(({ mails }) => mails)).toEqual([3, 3, 1])
    await end()
  })

  it('uses no session after `maxAgeMs`, give or take a tenth', async () => {
    const { send, server, subjects, end } = setUp({
      max: 1,
      pool: { maxAgeMs: 10_000, idleTimeoutMs: 60_000 },
    })
    for (let mail = 0; mail < 12; mail++) {
      send(`m${mail}`)
      await clock.advance(1_000)
    }
    expect(subjects()).toHaveLength(12)
    expect(server.sessions.map(({ mails }) => mails >= 9 && mails <= 11)[0]).toBe(true)
    expect(server.sessions).toHaveLength(2)
    await clock.advance(12_000)
    expect(server.openSockets()).toEqual([])
    await end()
  })

  it('uses no session past its age that nobody has closed yet', async () => {
    const { send, server, subjects, end } = setUp({
      max: 1,
      pool: { maxAgeMs: 10_000, idleTimeoutMs: 60_000 },
    })
    send('a')
    await clock.advance(100)
    // The process was busy, or the machine slept: no timer has fired.
    const { now } = performance
    performance.now = () => now() + 60_000
    send('b')
    await clock.advance(100)
    performance.now = now
    expect([subjects(), server.sessions.map(({ mails }) => mails)]).toEqual([
      ['a', 'b'],
      [1, 1],
    ])
    await end()
  })

  it('groups emails of a burst, once the first session has shown that it may', async () => {
    const { send, names, server, subjects, end } = setUp({ max: 2, server: { mailMs: 5 } })
    for (const name of names(12)) send(name)
    await clock.advance(1_000)
    expect(subjects().sort()).toEqual(names(12).sort())
    const written = server.sessions.map(({ wire }) => Buffer.concat(wire.socket.written).toString())
    for (const text of written) expect(text).toContain('\r\n.\r\nRSET\r\nMAIL FROM:')
    await end()
  })

  it('groups each email of a burst with the one before, not every second one', async () => {
    const { send, names, server, end } = setUp({ max: 1, server: { latencyMs: 25 } })
    for (const name of names(20)) send(name)
    await clock.advance(2_000)
    expect(server.taken).toHaveLength(20)
    const written = String(Buffer.concat(server.sessions[0]!.wire.socket.written))
    expect(written.match(/\r\n\.\r\nRSET\r\nMAIL FROM:/g)).toHaveLength(19)
    await end()
  })

  it('keeps to what a server offers on this connection, whatever it offered on another', async () => {
    const bytes = '250-scripted\r\n250 AUTH CRAM-MD5\r\n'
    const script = ({ step, connection }: StepContext): StepFault | undefined =>
      step === 'ehlo' && connection === 1 ? { step, say: { bytes } } : undefined
    const { send, names, subjects, server, end } = setUp({
      max: 1,
      pool: { maxMessages: 4 },
      server: { script },
    })
    for (const name of names(12)) send(name)
    await clock.advance(1_000)
    expect(subjects()).toEqual(names(12))
    const written = server.sessions.map(({ wire }) => wire.socket.written.map(String))
    const groups = written.map((writes) => writes.filter((text) => text.includes('\r\n.\r\nRSET\r\n')).length)
    expect(groups).toEqual([3, 0, 3])
    expect(written.map((writes) => writes.filter((text) => text.startsWith('MAIL')))).toEqual([
      [expect.stringMatching(/SIZE=.*\r\nRCPT .*\r\nDATA\r\n$/)],
      Array(4).fill(expect.stringMatching(/^MAIL FROM:<m\d@x\.org>\r\n$/)),
      [expect.stringMatching(/SIZE=.*\r\nRCPT .*\r\nDATA\r\n$/)],
    ])
    await end()
  })

  it.each(['refused', 'swallowed'] as const)(
    'sends each email once where groups are %s',
    async (afterBody) => {
      const { send, names, server, subjects, told, end } = setUp({ max: 2, server: { afterBody } })
      for (const name of names(8)) send(name)
      await clock.advance(60_000)
      expect(subjects().sort()).toEqual(names(8).sort())
      expect(new Set(Object.values(told()))).toEqual(new Set(['sent at attempt 1']))
      const groups = server.sessions.flatMap(
        ({ wire }) => String(Buffer.concat(wire.socket.written)).match(/\.\r\nRSET/g) ?? [],
      )
      expect(groups).toHaveLength(1)
      await end()
    },
  )

  it.each([
    ['EHLO', 1, 'sent at attempt 2'],
    ['AUTH', 2, 'sent at attempt 2'],
    ['the answer to the challenge', 3, 'sent at attempt 2'],
    ['the envelope', 4, 'sent at attempt 2'],
    ['the end of a body', 5, 'unknown after 1'],
    ['QUIT', 6, 'sent at attempt 1'],
  ])('goes on where the socket of a getSocket throws at %s', async (_what, write, expected) => {
    const script = ({ step, connection }: StepContext): undefined => {
      if (step !== 'greeting' || connection > 0) return
      const { socket } = set.server.sessions[0]!.wire
      const usual = socket.write.bind(socket) as (...args: unknown[]) => boolean
      let writes = 0
      socket.write = (...args: unknown[]) => {
        if (++writes === write) throw new Error('The tunnel is gone')
        return usual(...args)
      }
    }
    const set = setUp({ max: 1, server: { script } })
    set.send('a')
    await clock.advance(40_000)
    set.send('b')
    await clock.advance(100)
    expect(set.told()).toEqual({ a: expected, b: 'sent at attempt 1' })
    await set.end()
  })

  it('opens another session for an email whose session was gone, without counting that', async () => {
    const { send, server, told, subjects, end } = setUp({ max: 1 })
    send('a')
    await clock.advance(100)
    server.openSockets()[0]!.destroy()
    send('b')
    await clock.advance(100)
    expect([subjects(), told().b]).toEqual([['a', 'b'], 'sent at attempt 1'])
    await end()
  })

  it('counts what comes back a fourth time', async () => {
    let broken = false
    const script = ({ step, mail }: StepContext): StepFault | undefined =>
      broken && step === 'mail' && mail === 1 ? { step, say: 'nothing', next: 'reset' } : undefined
    const { send, names, told, subjects, server, end } = setUp({ max: 5, server: { script, mailMs: 50 } })
    for (const name of names(4)) send(name)
    await clock.advance(1_000)
    broken = true
    send('x')
    await clock.advance(5)
    expect(server.sessions).toHaveLength(4)
    await clock.advance(5_000)
    expect([told().x, subjects().length, server.sessions.length]).toEqual(['sent at attempt 2', 5, 5])
    await end()
  })
})

describe('composing', () => {
  it('goes on while a session is opened, and is done once', async () => {
    const { send, builds, end } = setUp()
    send('a')
    await clock.advance(0)
    expect(builds.get('a')).toBe(1)
    await clock.advance(100)
    expect(builds.get('a')).toBe(1)
    await end()
  })

  it('that fails is the end of its email, and of no other', async () => {
    const { send, told, errorOf, subjects, end } = setUp({ max: 1 })
    send('a', {
      build: (done) =>
        setTimeout(done, 10, Object.assign(new Error('No such file'), { code: 'ENOENT' }), bodyOf('a')),
    })
    send('b', {
      build: () => {
        throw new Error('A plugin failed')
      },
    })
    send('n', {
      build: () => {
        throw undefined as never
      },
    })
    send('t', { build: (done) => done('No text' as never, bodyOf('t')) })
    send('c')
    await clock.advance(1_000)
    expect(told()).toEqual({
      a: 'not-sent after 0',
      b: 'not-sent after 0',
      n: 'not-sent after 0',
      t: 'not-sent after 0',
      c: 'sent at attempt 1',
    })
    expect([errorOf('n')?.message, errorOf('t')?.message]).toEqual([
      'a value that is not an error',
      'No text',
    ])
    expect(errorOf('a')).toMatchObject({ code: 'ENOENT', phase: 'queue', message: 'No such file' })
    expect(errorOf('b')).toMatchObject({ code: 'ESTREAM' })
    expect(subjects()).toEqual(['c'])
    await end()
  })

  it('that fails for thousands in a row is no matter of the stack', async () => {
    const { send, names, results, told, end } = setUp({ max: 1 })
    const build = () => {
      throw new Error('A plugin failed')
    }
    send('a')
    for (const name of names(3_000)) send(name, { build })
    send('z')
    await clock.advance(1_000)
    expect([results.size, told().m2999, told().z]).toEqual([3_002, 'not-sent after 0', 'sent at attempt 1'])
    await end()
  })

  it('that calls back twice sends one email', async () => {
    const { send, subjects, end } = setUp()
    send('a', {
      build: (done) => {
        done(null, bodyOf('a'))
        done(null, bodyOf('again'))
        setTimeout(done, 20, null, bodyOf('again'))
        setTimeout(done, 30, new Error('late'), bodyOf('a'))
      },
    })
    await clock.advance(1_000)
    expect(subjects()).toEqual(['a'])
    await end()
  })

  it('of an email that waits for a busy session is the business of the session that becomes idle first', async () => {
    const { send, told, subjects, server, end } = setUp({
      max: 2,
      server: {
        script: ({ step, connection }) =>
          step === 'dot' && connection === 0 ? { step, waitMs: 5_000 } : undefined,
      },
    })
    send('slow')
    send('b')
    await clock.advance(5)
    // One of the two takes it while both are busy.
    send('c', { build: (done) => setTimeout(done, 100, null, bodyOf('c')) })
    await clock.advance(1_000)
    expect(told()).toEqual({ b: 'sent at attempt 1', c: 'sent at attempt 1' })
    await clock.advance(5_000)
    expect(subjects()).toEqual(['slow', 'b', 'c'])
    expect(server.sessions).toHaveLength(2)
    await end()
  })

  it('of an email that another session has taken is no business any more of the one that had it', async () => {
    const script = ({ step, connection, mail }: StepContext): StepFault | undefined =>
      step === 'dot' && mail === 0 ? { step, waitMs: connection === 0 ? 50 : 10 } : undefined
    const { send, told, subjects, end } = setUp({ max: 2, server: { script } })
    send('a')
    send('b')
    await clock.advance(5)
    // The first takes it while both are busy, the second when it is idle; both are idle when it is composed.
    send('c', { build: (done) => setTimeout(done, 1_000, null, bodyOf('c')) })
    await clock.advance(5_000)
    expect([subjects(), told().c]).toEqual([['a', 'b', 'c'], 'sent at attempt 1'])
    await end()
  })

  it('that is done after its session has ended sends one email, over another session', async () => {
    const { send, subjects, server, told, end, builds } = setUp({ max: 1 })
    send('a')
    await clock.advance(100)
    send('b', { build: (done) => setTimeout(done, 50, null, bodyOf('b')) })
    await clock.advance(10)
    server.openSockets()[0]!.destroy()
    await clock.advance(1_000)
    expect([subjects(), told().b, builds.get('b'), server.sessions.length]).toEqual([
      ['a', 'b'],
      'sent at attempt 1',
      1,
      2,
    ])
    await end()
  })

  it('of an email that is given up meanwhile sends nothing', async () => {
    const { send, subjects, told, end } = setUp({ max: 1 })
    const aborting = new AbortController()
    send('a', { data: { signal: aborting.signal }, build: (done) => setTimeout(done, 50, null, bodyOf('a')) })
    await clock.advance(20)
    aborting.abort()
    send('b')
    await clock.advance(1_000)
    expect([told(), subjects()]).toEqual([{ a: 'not-sent after 0', b: 'sent at attempt 1' }, ['b']])
    await end()
  })

  it('holds nothing of an email that waits for another attempt, and composes it anew', async () => {
    const { send, builds, deliveries, told, end } = setUp({ server: { script: faults('dot', { say: 451 }) } })
    send('a')
    await clock.advance(100)
    expect(deliveries[0]!.isWhole).toBe(false)
    await clock.advance(1_500)
    expect([builds.get('a'), told().a]).toEqual([2, 'sent at attempt 2'])
    await end()
  })

  it('of what cannot be held in memory waits for the go-ahead, and what can be read once is sent once', async () => {
    let opened = 0
    const open = () => {
      opened++
      return Readable.from(['Subject: a\r\n\r\nHello\r\n'])
    }
    const data = { attachments: [{ content: Readable.from([]) }] }
    const { send, told, errorOf, end } = setUp({ server: { script: faults('dot', { say: 451 }) } })
    send('a', { open, data })
    await clock.advance(1)
    expect(opened).toBe(0)
    await clock.advance(5_000)
    expect([opened, told().a]).toEqual([1, 'deferred after 1'])
    expect(errorOf('a')?.notRetried).toContain('can be read only once')
    await end()
  })

  it('of what is not in memory makes no group', async () => {
    const { send, server, subjects, end } = setUp({ max: 1, server: { mailMs: 10 } })
    for (const name of ['a', 'b', 'c']) send(name)
    await clock.advance(100)
    for (const name of ['d', 'e']) send(name, { open: () => Readable.from([bodyOf(name)]) })
    await clock.advance(1_000)
    expect(subjects()).toEqual(['a', 'b', 'c', 'd', 'e'])
    const groups = String(Buffer.concat(server.sessions[0]!.wire.socket.written)).match(
      /\.\r\nRSET\r\nMAIL FROM:<./g,
    )
    expect(groups).toEqual(['.\r\nRSET\r\nMAIL FROM:<b', '.\r\nRSET\r\nMAIL FROM:<c'])
    await end()
  })

  it('of a stream that was not read yet may be tried again', async () => {
    let opened = 0
    const open = () => {
      opened++
      return Readable.from(['Subject: a\r\n\r\nHello\r\n'])
    }
    const { send, told, end } = setUp({ server: { script: faults('mail', { say: 451 }) } })
    send('a', { open, data: { text: Readable.from([]) } })
    await clock.advance(5_000)
    expect([opened, told().a]).toEqual([1, 'sent at attempt 2'])
    await end()
  })
})

describe('attempts', () => {
  it('follow a deferral after a pause, and say what the last one met', async () => {
    const { send, told, errorOf, server, end } = setUp({
      retry: { attempts: 3 },
      server: { script: ({ step }) => (step === 'rcpt' ? { step, say: 450 } : undefined) },
    })
    send('a')
    await clock.advance(60_000)
    expect(told()).toEqual({ a: 'deferred after 3' })
    expect(errorOf('a')).toMatchObject({ code: 'EENVELOPE', responseCode: 450, phase: 'envelope' })
    expect(server.sessions).toHaveLength(1)
    await end()
  })

  it('wait as long as `baseMs` says', async () => {
    const { send, told, end } = setUp({
      retry: { baseMs: 10 },
      server: { script: faults('dot', { say: 451 }, { say: 451 }, { say: 451 }) },
    })
    send('a')
    await clock.advance(120)
    expect(told()).toEqual({ a: 'sent at attempt 4' })
    await end()
  })

  it('end with the failure where the next one would begin after the deadline', async () => {
    const { send, results, errorOf, told, end } = setUp({
      retry: { baseMs: 20_000, deadlineMs: 15_000 },
      server: { script: ({ step }) => (step === 'dot' ? { step, say: 451 } : undefined) },
    })
    vi.spyOn(Math, 'random').mockReturnValue(1)
    send('a')
    await clock.advance(60_000)
    expect(told()).toEqual({ a: 'deferred after 1' })
    expect(results.get('a')!.atMs).toBeLessThan(1_000)
    expect(errorOf('a')).toMatchObject({ responseCode: 451, notRetried: expect.stringContaining('15 s') })
    await end()
  })

  it('that fail to open a session count for the first email, where no session serves', async () => {
    const { send, told, server, end } = setUp({
      max: 1,
      server: { script: faults('connect', { say: 'nothing' }, { say: 'nothing' }) },
    })
    send('a')
    send('b')
    await clock.advance(30_000)
    // The first email pauses then, so that the next failure is met by the second one.
    expect(told()).toEqual({ a: 'sent at attempt 2', b: 'sent at attempt 2' })
    expect(server.calls).toBe(3)
    await end()
  })

  it('to open a session wait as long as `baseMs` says, whichever mail has failed with the one before', async () => {
    const { send, server, told, end } = setUp({
      max: 1,
      retry: { baseMs: 20_000 },
      server: { script: faults('connect', { say: 'nothing' }) },
    })
    send('a')
    send('b')
    const calls = []
    for (const ms of [100, 4_800, 5_200]) {
      await clock.advance(ms)
      calls.push(server.calls)
    }
    expect([calls, told()]).toEqual([[1, 1, 2], { b: 'sent at attempt 1' }])
    await clock.advance(20_000)
    expect(told().a).toBe('sent at attempt 2')
    await end()
  })

  it('that fail to open a session count for no email, where another one serves', async () => {
    const script = ({ step, connection }: StepContext): StepFault | undefined => {
      if (step === 'connect' && connection > 0) return { step, say: 'nothing' }
      return step === 'dot' ? { step, waitMs: 2_000 } : undefined
    }
    const { send, names, told, end } = setUp({ max: 4, server: { script } })
    send('a')
    await clock.advance(50)
    for (const name of names(3)) send(name)
    await clock.advance(30_000)
    expect(new Set(Object.values(told()))).toEqual(new Set(['sent at attempt 1']))
    await end()
  })

  it('to reach a server that is dead are made by one session at a time, after the first', async () => {
    let greeted = false
    const script = ({ step }: StepContext): StepFault | undefined =>
      step === 'connect' && greeted ? { step, say: 'nothing' } : undefined
    const { send, names, server, told, end } = setUp({ max: 4, server: { script } })
    send('first')
    await clock.advance(100)
    greeted = true
    server.openSockets()[0]!.destroy()
    for (const name of names(8)) send(name)
    await clock.advance(10)
    const calls = [server.calls]
    for (let second = 0; second < 4; second++) {
      await clock.advance(250)
      calls.push(server.calls)
    }
    // Four that were started together, then one after the other.
    expect(calls[0]).toBe(5)
    expect(Math.max(...calls.slice(1).map((count, index) => count - calls[index]!))).toBe(1)
    greeted = false
    await clock.advance(60_000)
    expect(Object.values(told()).filter((each) => each.startsWith('sent'))).toHaveLength(9)
    await end()
  })

  it('after an unknown outcome, where they are accepted, cannot make it known again', async () => {
    let dots = 0
    const script = ({ step }: StepContext): StepFault | undefined => {
      if (step === 'dot' && ++dots === 1) return { step, say: 'nothing', next: 'reset', accepted: true }
      return dots > 0 && step === 'rcpt' ? { step, say: 550 } : undefined
    }
    const { send, told, subjects, end } = setUp({ retry: { unknown: true }, server: { script } })
    send('a')
    await clock.advance(60_000)
    expect([told(), subjects()]).toEqual([{ a: 'unknown after 2' }, ['a']])
    await end()
  })

  it('after an unknown outcome leave it unknown also where the email is given up then', async () => {
    const aborting = new AbortController()
    const { send, told, end } = setUp({
      retry: { unknown: true },
      server: { script: faults('dot', { say: 'nothing', next: 'reset' }) },
    })
    send('a', { data: { signal: aborting.signal } })
    await clock.advance(10)
    aborting.abort()
    await clock.advance(10)
    expect(told()).toEqual({ a: 'unknown after 1' })
    await end()
  })

  it('end with a refused login for the email that met it', async () => {
    const { send, told, errorOf, end } = setUp({ max: 1, server: { script: faults('proof', { say: 535 }) } })
    send('a')
    send('b')
    await clock.advance(5_000)
    expect(told()).toEqual({ a: 'not-sent after 1', b: 'sent at attempt 1' })
    expect(errorOf('a')).toMatchObject({ code: 'EAUTH', phase: 'login', responseCode: 535 })
    await end()
  })
})

describe('a login that is refused', () => {
  const refusing = (step: 'proof' | 'ehlo', say: StepFault['say']) => {
    const state = { refuses: true }
    const script = (context: StepContext): StepFault | undefined =>
      state.refuses && context.step === step ? { step, ...(say === undefined ? {} : { say }) } : undefined
    return { state, script }
  }

  it.each<[string, 'proof' | 'ehlo', StepFault['say']]>([
    ['again', 'proof', 535],
    ['for want of a mechanism', 'ehlo', { bytes: '250 no AUTH\r\n' }],
  ])('%s ends all emails that wait, so that not each of them costs a login', async (_what, step, say) => {
    const { script } = refusing(step, say)
    const { send, names, told, errorOf, server, end } = setUp({ max: 4, server: { script } })
    for (const name of names(100)) send(name)
    await clock.advance(100)
    expect(Object.values(told())).toEqual(Array(100).fill('not-sent after 1'))
    // Four that were started together, then one.
    expect(server.sessions).toHaveLength(5)
    expect(errorOf('m99')).toMatchObject({ code: 'EAUTH', phase: 'login' })
    expect(new Set(names(100).map(errorOf)).size).toBe(100)
    expect(new Set(names(100).map((name) => errorOf(name)!.message)).size).toBe(1)
    await end()
  })

  it('ends no email that came after it was begun', async () => {
    const { state, script } = refusing('proof', 535)
    const { send, told, server, end } = setUp({ max: 1, server: { script } })
    send('a')
    send('b')
    send('c')
    // The second login is under way by then.
    await clock.advanceUntil(() => server.sessions.length === 2, 1_000)
    send('late')
    await clock.advanceUntil(() => told().c !== undefined, 1_000)
    expect([told(), server.sessions.length]).toEqual([
      { a: 'not-sent after 1', b: 'not-sent after 1', c: 'not-sent after 1' },
      2,
    ])
    state.refuses = false
    await clock.advance(1_000)
    expect(told().late).toBe('sent at attempt 1')
    await end()
  })

  it('is tried once for each email that comes later, and as many as are needed once it is granted', async () => {
    const { state, script } = refusing('proof', 535)
    const { send, names, told, server, end } = setUp({ max: 4, server: { script, mailMs: 100 } })
    for (const name of ['a', 'b', 'c']) {
      send(name)
      await clock.advance(50)
    }
    expect([Object.values(told()), server.sessions.length]).toEqual([Array(3).fill('not-sent after 1'), 3])
    state.refuses = false
    for (const name of names(12)) send(name)
    await clock.advance(5_000)
    expect(names(12).map((name) => told()[name])).toEqual(Array(12).fill('sent at attempt 1'))
    expect(server.sessions).toHaveLength(7)
    await end()
  })

  it('ends no email where another session serves', async () => {
    const { state, script } = refusing('proof', 535)
    state.refuses = false
    const { send, names, told, server, end } = setUp({ max: 4, server: { script, mailMs: 200 } })
    send('a')
    await clock.advance(50)
    state.refuses = true
    for (const name of names(20)) send(name)
    await clock.advance(20_000)
    expect(new Set(Object.values(told()))).toEqual(new Set(['sent at attempt 1']))
    // The others are tried less and less often.
    expect(server.sessions.length).toBeLessThan(10)
    await end()
  })

  it.each<[string, number, number, string]>([
    ['a login that is granted', 2, -1, 'sent at attempt 1'],
    // There the next connection is the second.
    ['a connection that is not made', 1, 1, 'sent at attempt 2'],
  ])('is the first in a row again after %s', async (_what, second, lost, expected) => {
    const script = ({ step, connection }: StepContext): StepFault | undefined => {
      if (step === 'connect' && connection === lost) return { step, say: 'nothing' }
      return step === 'proof' && [0, second].includes(connection) ? { step, say: 535 } : undefined
    }
    const { send, told, end } = setUp({
      max: 1,
      retry: { baseMs: 100 },
      pool: { maxMessages: 1 },
      server: { script },
    })
    for (const name of ['a', 'b', 'c', 'd']) send(name)
    await clock.advance(5_000)
    expect(told()).toEqual({
      a: 'not-sent after 1',
      b: expected,
      c: 'not-sent after 1',
      d: 'sent at attempt 1',
    })
    await end()
  })
})

describe('the deadline', () => {
  it('ends what waits for a server that is dead', async () => {
    const { send, names, results, errorOf, end } = setUp({
      retry: { deadlineMs: 30_000 },
      server: { script: ({ step }) => (step === 'connect' ? { step, next: 'stall' } : undefined) },
    })
    for (const name of names(200)) send(name)
    await clock.advance(30_001)
    expect(results.size).toBe(200)
    expect(errorOf('m199')).toMatchObject({
      code: 'ETIMEDOUT',
      command: 'API',
      outcome: 'not-sent',
      attempts: 0,
    })
    expect(errorOf('m199')?.message).toContain('30 s')
    await end()
  })

  it('ends what waits for a server that defers every login, however often it does', async () => {
    const { send, names, results, errorOf, end } = setUp({
      max: 1,
      retry: { deadlineMs: 30_000 },
      server: { script: ({ step }) => (step === 'proof' ? { step, say: 454 } : undefined) },
    })
    for (const name of names(20)) send(name)
    await clock.advance(31_000)
    expect(results.size).toBe(20)
    expect(errorOf('m19')).toMatchObject({ outcome: 'not-sent', attempts: 0 })
    await end()
  })

  it('moves with each email that is finished, for those that have not had their turn', async () => {
    const { send, names, told, end } = setUp({
      max: 1,
      retry: { deadlineMs: 5_000 },
      server: { mailMs: 1_000 },
    })
    for (const name of names(30)) send(name)
    await clock.advance(40_000)
    expect(new Set(Object.values(told()))).toEqual(new Set(['sent at attempt 1']))
    await end()
  })

  it('is not over at once for an email that comes long after the last one was finished', async () => {
    let mails = 0
    const { send, told, end } = setUp({
      retry: { deadlineMs: 30_000 },
      server: { script: ({ step }) => (step === 'mail' && ++mails === 2 ? { step, say: 451 } : undefined) },
    })
    send('a')
    await clock.advance(60_000)
    send('b')
    await clock.advance(5_000)
    expect(told()).toEqual({ a: 'sent at attempt 1', b: 'sent at attempt 2' })
    await end()
  })

  it('moves with each email that is rejected, too', async () => {
    const { send, names, told, end } = setUp({
      max: 1,
      retry: { deadlineMs: 5_000 },
      server: {
        mailMs: 1_000,
        script: ({ step }) => (step === 'dot' ? { step, say: 554, waitMs: 1_000 } : undefined),
      },
    })
    for (const name of names(30)) send(name)
    await clock.advance(40_000)
    expect(new Set(Object.values(told()))).toEqual(new Set(['rejected after 1']))
    await end()
  })

  it('does not move for an email that had its turn', async () => {
    const { send, told, results, end } = setUp({
      max: 1,
      retry: { deadlineMs: 5_000, baseMs: 100 },
      server: {
        script: ({ step, line }) =>
          step === 'mail' && line.includes('<x@') ? { step, say: 451 } : undefined,
        mailMs: 900,
      },
    })
    send('x')
    for (let mail = 0; mail < 20; mail++) {
      send(`m${mail}`)
      await clock.advance(1_000)
    }
    expect(told().x).toMatch(/^deferred after/)
    expect(results.get('x')!.atMs).toBeLessThanOrEqual(5_010)
    await end()
  })

  it('that is shorter than a login ends its email, and lets the login go on for one that has come meanwhile', async () => {
    const { send, told, results, server, end } = setUp({
      max: 1,
      retry: { deadlineMs: 100 },
      server: { latencyMs: 20 },
    })
    send('a')
    await clock.advance(60)
    send('b')
    await clock.advance(500)
    expect([told(), server.sessions.length]).toEqual([{ a: 'not-sent after 0', b: 'sent at attempt 1' }, 1])
    expect(results.get('a')!.atMs).toBe(100)
    await end()
  })

  it('that no login can keep to leaves neither a connection nor a timer', async () => {
    const { send, names, told, server } = setUp({
      max: 4,
      retry: { deadlineMs: 50 },
      server: { latencyMs: 100 },
    })
    for (const name of names(6)) {
      send(name)
      await clock.advance(10)
    }
    await clock.advance(300)
    expect(Object.values(told())).toEqual(Array(6).fill('not-sent after 0'))
    expect([server.openSockets(), clock.pending()]).toEqual([[], []])
  })

  it('leaves unknown what is with the server', async () => {
    const { send, told, errorOf, end } = setUp({
      retry: { deadlineMs: 5_000 },
      server: { script: faults('dot', { waitMs: 20_000 }) },
    })
    send('a')
    await clock.advance(5_001)
    expect([told(), errorOf('a')?.phase]).toEqual([{ a: 'unknown after 1' }, 'final'])
    await clock.advance(30_000)
    await end()
  })

  it('says what the email met last', async () => {
    const { send, errorOf, told, end } = setUp({
      retry: { deadlineMs: 6_000, baseMs: 3_000 },
      server: {
        script: ({ step, mail }) =>
          step === 'dot'
            ? mail === 0
              ? { step, say: 451 }
              : { step, waitMs: 60_000, say: 'nothing' }
            : undefined,
      },
    })
    send('a')
    await clock.advance(6_001)
    expect(told()).toEqual({ a: 'unknown after 2' })
    expect(errorOf('a')?.message).toContain('451 by the script')
    await clock.advance(120_000)
    await end()
  })
})

describe('giving an email up', () => {
  it.each<[string, ScriptedServerOptions, number, string, number]>([
    ['waits for a session', {}, 0, 'not-sent after 0', 0],
    ['is in its envelope', { script: faults('data', { waitMs: 5_000 }) }, 50, 'not-sent after 1', 0],
    ['is with the server', { mailMs: 5_000 }, 50, 'unknown after 1', 1],
    ['waits for another attempt', { script: faults('dot', { say: 451 }) }, 50, 'deferred after 1', 0],
  ])('settles it at once where it %s', async (_what, server, afterMs, expected, copies) => {
    const aborting = new AbortController()
    const { send, told, errorOf, subjects, end } = setUp({ server })
    send('a', { data: { signal: aborting.signal } })
    expect(getEventListeners(aborting.signal, 'abort')).toHaveLength(1)
    if (afterMs > 0) await clock.advance(afterMs)
    aborting.abort(new Error('Too late'))
    expect(told()).toEqual({ a: expected })
    expect(errorOf('a')).toMatchObject({ name: 'AbortError', code: 'EABORT', cause: { message: 'Too late' } })
    expect(getEventListeners(aborting.signal, 'abort')).toEqual([])
    expect(clock.pending().filter(({ referenced }) => referenced)).toEqual([])
    await clock.advance(20_000)
    expect(subjects()).toHaveLength(copies)
    await end()
  })

  it('that was given up before it came is not-sent', async () => {
    const { send, told, subjects, end } = setUp()
    send('a', { data: { signal: AbortSignal.abort() } })
    await clock.advance(100)
    expect([told(), subjects()]).toEqual([{ a: 'not-sent after 0' }, []])
    await end()
  })

  it('leaves no listener at the signal of an email that is through', async () => {
    const aborting = new AbortController()
    const { send, told, end } = setUp({ server: { script: faults('rcpt', { say: 550 }) } })
    send('a', { data: { signal: aborting.signal } })
    await clock.advance(100)
    send('b', { data: { signal: aborting.signal } })
    await clock.advance(100)
    expect(told()).toEqual({ a: 'rejected after 1', b: 'sent at attempt 1' })
    expect(getEventListeners(aborting.signal, 'abort')).toEqual([])
    aborting.abort()
    await end()
  })

  it('follows a signal of another realm, and nothing that is none', async () => {
    const listeners: (() => void)[] = []
    const signal = {
      aborted: false,
      addEventListener: (_name: string, listener: () => void) => listeners.push(listener),
      removeEventListener: () => listeners.pop(),
    }
    const { send, told, end } = setUp()
    send('a', { data: { signal } })
    const endless = { aborted: false, addEventListener: () => {} }
    for (const [index, none] of [null, 5, {}, { aborted: true }, endless].entries())
      send(`n${index}`, { data: { signal: none } })
    listeners[0]!()
    await clock.advance(1_000)
    expect(told()).toEqual({
      a: 'not-sent after 0',
      n0: 'sent at attempt 1',
      n1: 'sent at attempt 1',
      n2: 'sent at attempt 1',
      n4: 'sent at attempt 1',
      n3: 'sent at attempt 1',
    })
    await end()
  })

  it('gives the session to the next email, and a new one is opened where it had to be broken off', async () => {
    const aborting = new AbortController()
    const { send, told, server, end } = setUp({
      max: 1,
      server: { script: faults('rcpt', { waitMs: 5_000 }) },
    })
    send('a', { data: { signal: aborting.signal } })
    send('b')
    await clock.advance(50)
    aborting.abort()
    await clock.advance(1_000)
    expect(told()).toEqual({ a: 'not-sent after 1', b: 'sent at attempt 1' })
    expect(server.sessions).toHaveLength(2)
    await end()
  })

  it('opens the next session outside of the scope in which the email is given up', async () => {
    const storage = new AsyncLocalStorage<string>()
    const aborting = new AbortController()
    const scopes: (string | undefined)[] = []
    const script = ({ step, connection }: StepContext): StepFault | undefined => {
      if (step === 'connect') scopes.push(storage.getStore())
      return step === 'rcpt' && connection === 0 ? { step, waitMs: 5_000 } : undefined
    }
    const { send, told, end } = setUp({ max: 1, server: { script } })
    send('a', { data: { signal: aborting.signal } })
    send('b')
    await clock.advance(50)
    storage.run('a request', () => aborting.abort())
    await clock.advance(1_000)
    expect([told().b, scopes]).toEqual(['sent at attempt 1', [undefined, undefined]])
    await end()
  })

  it('tells that there is room again where it takes an email out of the queue', async () => {
    const aborting = new AbortController()
    const { send, names, taken, route, end } = setUp({
      max: 1,
      server: { script: ({ step }) => (step === 'connect' ? { step, next: 'stall' } : undefined) },
    })
    for (const name of names(5)) send(name, { data: { signal: aborting.signal } })
    expect([route.queued, taken()]).toEqual([5, 0])
    aborting.abort()
    expect([route.queued, taken()]).toEqual([0, 5])
    await end()
  })
})

describe('the fence', () => {
  it('is asked at each attempt, and its no is the end', async () => {
    const { send, told, errorOf, subjects, end } = setUp({ server: { script: faults('dot', { say: 451 }) } })
    const answers = [true, false]
    const claim = new Claim({ store: createMemorySendOnce(), leaseMs: 30_000, timeoutMs: 5_000 }, 'key')
    vi.spyOn(claim, 'isSafe', 'get').mockImplementation(() => answers.shift()!)
    send('a', { claim })
    await clock.advance(5_000)
    expect([told(), errorOf('a')?.code, subjects(), answers]).toEqual([
      { a: 'not-sent after 2' },
      'EFENCE',
      [],
      [],
    ])
    await end()
  })
})

describe('the end of a route', () => {
  const closedError = () => new PostmarkError('ERR_POSTMARK_CLOSED', 'Closed')

  it('stops every email, wherever it is, and opens nothing more', async () => {
    const script = ({ step, connection }: StepContext): StepFault | undefined => {
      if (step === 'dot' && connection === 0) return { step, waitMs: 60_000 }
      return step === 'rcpt' && connection === 1 ? { step, say: 451 } : undefined
    }
    const { send, names, route, told, server, end } = setUp({ max: 2, server: { script } })
    send('final')
    send('pause')
    await clock.advance(20)
    for (const name of names(4)) send(name)
    await clock.advance(5)
    route.stopAll(closedError)
    expect(told()).toMatchObject({ final: 'unknown after 1', pause: 'deferred after 1' })
    expect(Object.keys(told())).toHaveLength(6)
    const { calls } = server
    await clock.advance(100_000)
    expect(server.calls).toBe(calls)
    await end()
  })

  it('resolves when the last connection is gone: idle ones say QUIT, all others are broken off', async () => {
    const { send, route, server } = setUp({
      max: 3,
      server: { latencyMs: 10, script: faults('connect', {}, {}, { next: 'stall' }) },
    })
    send('a')
    send('b')
    await clock.advance(200)
    let closed = false
    void route.close(false).then(() => {
      closed = true
    })
    await clock.advance(9)
    expect(closed).toBe(false)
    await clock.advance(1)
    expect([closed, server.openSockets()]).toEqual([true, []])
    for (const { wire } of server.sessions) expect(String(wire.socket.written.at(-1))).toBe('QUIT\r\n')
    await route.close(false)
  })

  it('waits for nothing where it is forced', async () => {
    const { send, route, server } = setUp({
      max: 3,
      server: { script: faults('quit', { say: 'nothing', next: 'stall' }) },
    })
    send('a')
    await clock.advance(100)
    void route.close(false)
    await clock.advance(10)
    expect(server.openSockets()).toHaveLength(1)
    await route.close(true)
    expect(server.openSockets()).toEqual([])
  })

  it('logs in for verify on a connection of its own, and leaves', async () => {
    const { route, server, end } = setUp({ server: { script: faults('proof', {}, { say: 535 }) } })
    let verified = 0
    void route.verify().then(() => verified++)
    await clock.advance(100)
    expect([verified, server.sessions.length, server.openSockets()]).toEqual([1, 1, []])
    const refused = route.verify()
    const expected = expect(refused).rejects.toMatchObject({ code: 'EAUTH', responseCode: 535 })
    await clock.advance(100)
    await expected
    await end()
  })
})

describe('several routes', () => {
  /** Sends one email after the other for as long as there is time. */
  function sendInTurn(
    { send, results }: ReturnType<typeof setUp>,
    prefix: string,
    thinkMs: number,
    untilMs: number,
  ) {
    let count = 0
    const next = () => {
      if (clock.nowMs >= untilMs) return
      const name = `${prefix}${count++}`
      send(name)
      const watch = () => {
        if (results.has(name)) clock.schedule(thinkMs, next)
        else clock.schedule(5, watch)
      }
      watch()
    }
    next()
    return () => count
  }

  it('give an idle connection to the one that begins to wait', async () => {
    const budget = new ConnectionBudget(1)
    const [a, b] = [setUp({ budget }), setUp({ budget })]
    a.send('a')
    await clock.advance(100)
    b.send('b')
    await clock.advance(100)
    expect([a.told(), b.told()]).toEqual([{ a: 'sent at attempt 1' }, { b: 'sent at attempt 1' }])
    await a.end()
    await b.end()
  })

  it('give a connection that becomes idle to the one that waits already', async () => {
    const budget = new ConnectionBudget(1)
    const server = { mailMs: 50 }
    const [a, b, c] = [setUp({ budget, server }), setUp({ budget, server }), setUp({ budget, server })]
    for (const [route, name] of [
      [a, 'a'],
      [b, 'b'],
      [c, 'c'],
    ] as const)
      route.send(name)
    await clock.advance(1_000)
    expect([a.results.size, b.results.size, c.results.size]).toEqual([1, 1, 1])
    for (const each of [a, b, c]) await each.end()
  })

  it('with more of them busy than places keep one for 20 emails, so that not each email costs a login', async () => {
    const budget = new ConnectionBudget(1)
    const server = { mailMs: 10 }
    const [a, b] = [setUp({ budget, server }), setUp({ budget, server })]
    const counts = [sendInTurn(a, 'a', 5, 2_500), sendInTurn(b, 'b', 5, 2_500)]
    await clock.advance(10_000)
    const mails = counts.map((count) => count())
    expect(a.results.size + b.results.size).toBe(mails[0]! + mails[1]!)
    expect(Math.min(...mails)).toBeGreaterThan(20)
    const logins = a.server.sessions.length + b.server.sessions.length
    expect((mails[0]! + mails[1]!) / logins).toBeGreaterThan(15)
    for (const each of [a, b]) await each.end()
  })

  it('make a busy one give up a place for each that waits, and no more', async () => {
    const budget = new ConnectionBudget(6)
    const [a, b] = [setUp({ budget, server: { mailMs: 100, latencyMs: 20 } }), setUp({ budget })]
    for (const name of a.names(120)) a.send(name)
    await clock.advance(500)
    expect(a.server.openSockets()).toHaveLength(6)
    b.send('b')
    const beganAt = clock.nowMs
    await clock.advanceUntil(() => b.results.size === 1, 10_000)
    expect(clock.nowMs - beganAt).toBeLessThan(400)
    await clock.advance(1_000)
    expect(a.server.sessions.length).toBeLessThanOrEqual(8)
    await clock.advance(30_000)
    expect(a.results.size).toBe(120)
    for (const each of [a, b]) await each.end()
  })

  it('share the places where each wants all', async () => {
    const budget = new ConnectionBudget(6)
    const server = { mailMs: 100 }
    const all = [setUp({ budget, server }), setUp({ budget, server }), setUp({ budget, server })]
    for (const [index, each] of all.entries()) {
      for (const name of each.names(80)) each.send(name)
      await clock.advance(index * 10)
    }
    await clock.advance(2_000)
    expect(all.map((each) => each.server.openSockets().length)).toEqual([2, 2, 2])
    await clock.advance(60_000)
    expect(all.map((each) => each.results.size)).toEqual([80, 80, 80])
    for (const each of all) await each.end()
  })

  it('do not wait for the connections that another one opens to a server that is dead', async () => {
    const budget = new ConnectionBudget(4)
    const dead = setUp({
      budget,
      retry: { deadlineMs: 60_000 },
      server: { script: ({ step }) => (step === 'connect' ? { step, next: 'stall' } : undefined) },
    })
    const healthy = setUp({ budget })
    for (const name of dead.names(50)) dead.send(name)
    await clock.advance(100)
    for (const name of healthy.names(5)) healthy.send(name)
    await clock.advance(200)
    expect(healthy.results.size).toBe(5)
    await clock.advance(100_000)
    expect(dead.results.size).toBe(50)
    for (const each of [dead, healthy]) await each.end()
  })

  it('are not wanted by one whose own session has taken the email for which it wanted another', async () => {
    const budget = new ConnectionBudget(2)
    const options = { budget, pipelining: 'envelope' } as const
    const [a, b] = [
      setUp({ ...options, server: { mailMs: 100 } }),
      setUp({ ...options, server: { mailMs: 350 } }),
    ]
    a.send('a0')
    b.send('b0')
    await clock.advance(50)
    a.send('a1')
    a.send('a2')
    await clock.advance(1_000)
    b.send('b1')
    await clock.advance(1_000)
    expect([a.results.size, b.results.size]).toEqual([3, 2])
    expect([a.server.sessions.length, b.server.sessions.length]).toEqual([1, 1])
    for (const each of [a, b]) await each.end()
  })

  it('do not yield to one whose emails are all with its sessions', async () => {
    const budget = new ConnectionBudget(2)
    const server = { mailMs: 1_000 }
    const [a, b] = [
      setUp({ budget, server, pipelining: 'envelope' }),
      setUp({ budget, server, pipelining: 'envelope' }),
    ]
    a.send('a0')
    await clock.advance(5)
    b.send('b0')
    await clock.advance(5)
    // b wants a second place, and composes the email ahead for its own session meanwhile.
    b.send('b1')
    await clock.advance(5)
    a.send('a1')
    await clock.advance(10_000)
    expect([a.results.size, b.results.size]).toEqual([2, 2])
    expect([a.server.sessions.length, b.server.sessions.length]).toEqual([1, 1])
    for (const each of [a, b]) await each.end()
  })
})
