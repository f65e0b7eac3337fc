import { installVirtualClock, MemorySocket } from '@postmark-smtp/testing'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRedactor } from '../problems/redact.js'
import type { Failure } from '../problems/smtp-failure.js'
import type { Address } from './open-socket.js'
import type { Greeted, Opener } from './opener.js'
import { createPortRace } from './race-ports.js'
import { createSmtpLog } from './smtp-log.js'

/** What the file that opens sockets does in these tests. */
const net = vi.hoisted(() => ({
  lookUp: (_host: string, _done: (error: Error | undefined, addresses: readonly Address[]) => void) => {},
  open: (_address: Address, _port: number): unknown => undefined,
}))

// The files of a worker share its modules: those that were loaded without the mock, and with it, are loaded anew.
vi.hoisted(() => vi.resetModules())
afterAll(() => vi.resetModules())
vi.mock('./open-socket.js', () => ({
  listAddresses: (...args: Parameters<typeof net.lookUp>) => net.lookUp(...args),
  openSocket: (...args: Parameters<typeof net.open>) => net.open(...args),
}))

let clock: ReturnType<typeof installVirtualClock>
let opened: { readonly at: number; readonly where: string; readonly socket: MemorySocket }[]

beforeEach(() => {
  clock = installVirtualClock()
  opened = []
})

afterEach(() => {
  const pending = clock.pending()
  clock.uninstall()
  expect(pending).toEqual([])
})

/** How a port behaves: when it connects, fails or says something, in milliseconds after it was asked. */
interface Behaviour {
  readonly connectMs?: number
  readonly failMs?: number
  readonly code?: string
  readonly sayMs?: number
  readonly say?: string
}

const REFUSED: Behaviour = { failMs: 1, code: 'ECONNREFUSED' }
const SILENT: Behaviour = { connectMs: 1 }
const NOTHING: Behaviour = {}
const GREETS: Behaviour = { connectMs: 1, sayMs: 2, say: '220 hello\r\n' }

const V4 = { address: '192.0.2.1', family: 4 }
const V6 = { address: '2001:db8::1', family: 6 }

/** Lets addresses and ports behave so; by `address:port`, or by the port alone. */
function arrange(ports: Readonly<Record<string, Behaviour>>, addresses: readonly Address[] = [V4]): void {
  net.lookUp = (_host, done) => done(undefined, addresses)
  net.open = (address, port) => {
    const socket = new MemorySocket({ heard: () => true, ended: () => {}, gone: () => {} })
    const where = `${address.address} ${port}`
    opened.push({ at: clock.nowMs, where, socket })
    const { connectMs, failMs, code, sayMs, say = '' } = ports[where] ?? ports[port] ?? NOTHING
    if (connectMs !== undefined) clock.schedule(connectMs, () => socket.emit('connect'))
    if (sayMs !== undefined) clock.schedule(sayMs, () => socket.deliver(Buffer.from(say)))
    if (failMs !== undefined)
      clock.schedule(
        failMs,
        () => void socket.destroy(Object.assign(new Error(`connect ${code} ${where}`), { code })),
      )
    return socket
  }
}

const LIMIT_MS = 10_000
const log = createSmtpLog(false, createRedactor())

function start(opener: Opener) {
  const ends: { readonly at: number; readonly failure?: Failure; readonly greeted?: Greeted }[] = []
  const cancel = opener.open(LIMIT_MS, log, (failure, greeted) =>
    ends.push({ at: clock.nowMs, ...(failure ? { failure } : {}), ...(greeted ? { greeted } : {}) }),
  )
  return { ends, cancel }
}

/** Runs a race to its end, and lets go of what was won. */
async function race(opener: Opener) {
  opened = []
  const beganAt = clock.nowMs
  const { ends } = start(opener)
  await clock.advanceUntil(() => ends.length > 0, 60_000)
  expect(ends).toHaveLength(1)
  const { at, failure, greeted } = ends[0]!
  const open = opened.filter(({ socket }) => !socket.destroyed)
  expect(open).toHaveLength(greeted ? 1 : 0)
  greeted?.channel.destroy()
  await clock.settle()
  return {
    tried: opened.map(({ at, where }) => `${at - beganAt} ms: ${where}`),
    afterMs: at - beganAt,
    port: greeted?.port,
    error: failure?.error,
    retry: failure?.retry,
  }
}

const create = (ports: readonly number[] = [587, 2525, 25], host = 'smtp.example.com') =>
  createPortRace(host, ports)

describe('the order', () => {
  it('is one candidate only where it greets', async () => {
    arrange({ 587: GREETS })
    expect(await race(create())).toMatchObject({ tried: ['0 ms: 192.0.2.1 587'], port: 587, afterMs: 2 })
  })

  it.each<[string, Behaviour, number]>([
    ['at once where the one before fails', REFUSED, 1],
    ['at once where the one before speaks no SMTP', { connectMs: 1, sayMs: 5, say: 'SSH-2.0\r\n' }, 5],
    ['after 300 ms where the one before does not connect', NOTHING, 300],
    ['after 2 s where the one before is connected and silent', SILENT, 2_000],
    ['after 2 s where the one before connects just in time', { connectMs: 299 }, 2_000],
  ])('goes on %s', async (_what, first, afterMs) => {
    arrange({ 587: first, 2525: GREETS })
    expect(await race(create())).toMatchObject({
      tried: ['0 ms: 192.0.2.1 587', `${afterMs} ms: 192.0.2.1 2525`],
      port: 2525,
      afterMs: afterMs + 2,
    })
  })

  it('does not go on twice from one candidate that is slow first and fails then', async () => {
    arrange({ 587: { failMs: 400, code: 'ECONNRESET' }, 2525: SILENT, 25: GREETS })
    expect((await race(create())).tried).toEqual([
      '0 ms: 192.0.2.1 587',
      '300 ms: 192.0.2.1 2525',
      '2300 ms: 192.0.2.1 25',
    ])
  })

  it('takes each port on one address of each family before the other addresses', async () => {
    const others = [
      { address: '192.0.2.2', family: 4 },
      { address: '192.0.2.3', family: 4 },
    ]
    arrange({ 587: REFUSED, 2525: REFUSED }, [V6, V4, ...others])
    expect((await race(create([587, 2525]))).tried.map((each) => each.replace(/^.*: /, ''))).toEqual([
      '2001:db8::1 587',
      '192.0.2.1 587',
      '2001:db8::1 2525',
      '192.0.2.1 2525',
      '192.0.2.2 587',
      '192.0.2.3 587',
      '192.0.2.2 2525',
      '192.0.2.3 2525',
    ])
  })

  it('gives up no slow address while there is time, also where another one refuses', async () => {
    arrange(
      {
        '2001:db8::1 587': { connectMs: 1_000, sayMs: 1_100, say: '220 hello\r\n' },
        '192.0.2.1 587': REFUSED,
      },
      [V6, V4],
    )
    expect(await race(create([587]))).toMatchObject({
      port: 587,
      afterMs: 1_100,
      tried: ['0 ms: 2001:db8::1 587', '300 ms: 192.0.2.1 587'],
    })
  })

  it('is won by the first greeting, not by the first connection', async () => {
    arrange({
      587: { connectMs: 1, sayMs: 2_500, say: '220 late\r\n' },
      2525: { connectMs: 100, sayMs: 200, say: '220 hello\r\n' },
    })
    expect(await race(create())).toMatchObject({ port: 2525, afterMs: 2_200 })
  })
})

describe('what is remembered', () => {
  it('is the winner, by port and address, which goes first then', async () => {
    const opener = create([587, 2525])
    arrange({ '192.0.2.1 2525': GREETS }, [V6, V4])
    expect(opener.wasGreeted).toBe(false)
    expect((await race(opener)).port).toBe(2525)
    expect(opener.wasGreeted).toBe(true)
    expect((await race(opener)).tried).toEqual(['0 ms: 192.0.2.1 2525'])
  })

  it('is a port that failed, which comes last', async () => {
    const opener = create()
    arrange({ 587: REFUSED, 2525: GREETS })
    await race(opener)
    arrange({ 587: GREETS, 2525: REFUSED, 25: REFUSED })
    expect((await race(opener)).tried).toEqual([
      '0 ms: 192.0.2.1 2525',
      '1 ms: 192.0.2.1 25',
      '2 ms: 192.0.2.1 587',
    ])
    expect((await race(opener)).tried).toEqual(['0 ms: 192.0.2.1 587'])
  })

  it.each([
    [299_999, 2525],
    [300_000, 587],
  ])('is a port that failed %i ms ago, so that port %i goes first', async (ms, first) => {
    const opener = create()
    opener.bury(587)
    await clock.advance(ms)
    arrange({ 587: GREETS, 2525: GREETS })
    expect((await race(opener)).port).toBe(first)
  })

  it('is a port that was buried, until it greets again', async () => {
    const opener = create([587, 2525])
    arrange({ 587: GREETS, 2525: REFUSED })
    await race(opener)
    opener.bury(587)
    expect(opener.hasLivePort).toBe(true)
    expect((await race(opener)).tried).toEqual(['0 ms: 192.0.2.1 2525', '1 ms: 192.0.2.1 587'])
    opener.bury(587)
    opener.bury(2525)
    expect(opener.hasLivePort).toBe(false)
    await clock.advance(300_001)
    expect(opener.hasLivePort).toBe(true)
  })

  it('is a port that was dead no longer, once it greets', async () => {
    const opener = create([587, 2525])
    opener.bury(587)
    arrange({ 587: GREETS, 2525: REFUSED })
    expect((await race(opener)).port).toBe(587)
    expect(opener.hasLivePort).toBe(true)
  })

  it('is no port that is silent', async () => {
    const opener = create([587])
    arrange({ 587: SILENT })
    await race(opener)
    expect(opener.hasLivePort).toBe(true)
  })

  it('is no port of whose addresses one has failed, and another one still may greet', async () => {
    const opener = create([587, 2525])
    arrange({ '2001:db8::1 587': REFUSED, '192.0.2.1 587': SILENT, 2525: GREETS }, [V6, V4])
    expect((await race(opener)).port).toBe(2525)
    opener.bury(2525)
    expect(opener.hasLivePort).toBe(true)
  })
})

describe('a race that nobody wins', () => {
  it('ends at once where all have failed, and says what each did', async () => {
    arrange({
      587: REFUSED,
      2525: { failMs: 5, code: 'ECONNRESET' },
      25: { connectMs: 1, sayMs: 2, say: 'SSH-2.0\r\n' },
    })
    const { afterMs, error, retry } = await race(create())
    expect(afterMs).toBe(8)
    expect(error).toMatchObject({
      message:
        'No usable port on smtp.example.com (587: connect ECONNREFUSED 192.0.2.1 587; 2525: connect ECONNRESET 192.0.2.1 2525; 25: the service does not speak SMTP (the line "SSH-2.0"))',
      code: 'EPROTOCOL',
      phase: 'connect',
      command: 'CONN',
      outcome: 'not-sent',
      explanation: 'no-smtp-server',
    })
    expect(retry).toBe('counted')
  })

  it.each<[string, Behaviour, string, object]>([
    ['refuses', REFUSED, 'smtp.example.com', { code: 'ECONNREFUSED', explanation: 'connection-refused' }],
    ['refuses', REFUSED, '127.0.0.1', { code: 'ECONNREFUSED', explanation: 'nothing-listens' }],
    [
      'cannot be reached',
      { failMs: 1, code: 'EHOSTUNREACH' },
      'smtp.example.com',
      { code: 'EHOSTUNREACH', explanation: 'port-blocked' },
    ],
    [
      'breaks',
      { failMs: 1, code: 'ECONNRESET' },
      'smtp.example.com',
      { code: 'ECONNRESET', explanation: undefined },
    ],
  ])('is explained by what the host does: it %s', async (_what, behaviour, host, expected) => {
    arrange({ 587: behaviour })
    const { error, retry } = await race(create([587], host))
    expect({ code: error?.code, explanation: error?.explanation }).toEqual(expected)
    expect(error?.outcome).toBe('not-sent')
    expect(retry).toBe('counted')
  })

  it('tells what a server said that greeted with a refusal, before all else', async () => {
    for (const [say, expected, retry] of [
      [
        '421 busy\r\n',
        { code: 'EGREETING', outcome: 'deferred', responseCode: 421, response: '421 busy' },
        'counted',
      ],
      ['554 no\r\n', { code: 'EGREETING', outcome: 'rejected', responseCode: 554 }, 'never'],
      ['250 hello\r\n', { code: 'EGREETING', outcome: 'not-sent' }, 'counted'],
    ] as const) {
      arrange({ 587: REFUSED, 2525: { connectMs: 1, sayMs: 2, say }, 25: REFUSED })
      const result = await race(create())
      expect(result.error).toMatchObject(expected)
      expect(result.error?.message).toContain(`2525: the server greeted with ${JSON.stringify(say.trim())}`)
      expect(result.retry).toBe(retry)
    }
  })

  it('ends where a server hangs up before its greeting', async () => {
    arrange({ 587: SILENT })
    const { ends } = start(create([587]))
    await clock.advance(5)
    opened[0]!.socket.deliverEnd()
    await clock.advance(0)
    expect(ends[0]?.failure?.error.message).toContain('587: the connection was closed before the greeting')
  })

  it.each<[string, Behaviour, string]>([
    ['connects, and is no SMTP server', SILENT, 'no-smtp-server'],
    ['does not even connect', NOTHING, 'port-blocked'],
  ])(
    'has the whole limit where the host %s, and is not tried again before any server has greeted',
    async (_what, behaviour, explanation) => {
      arrange({ 587: behaviour, 2525: REFUSED })
      const opener = create([587, 2525])
      const { afterMs, error, retry } = await race(opener)
      expect(afterMs).toBe(LIMIT_MS)
      expect(error).toMatchObject({
        code: 'ETIMEDOUT',
        outcome: 'not-sent',
        explanation,
        message: expect.stringContaining('587: no greeting within 10000 ms'),
      })
      expect(retry).toBe('never')
      arrange({ 587: GREETS })
      await race(opener)
      arrange({ 587: behaviour, 2525: REFUSED })
      expect((await race(opener)).retry).toBe('counted')
    },
  )
})

describe('the name of the host', () => {
  it('that is not resolved is the failure', async () => {
    net.lookUp = (_host, done) => done(new Error('getaddrinfo ENOTFOUND smtp.example.com'), [])
    expect(await race(create())).toMatchObject({
      tried: [],
      error: {
        code: 'EDNS',
        outcome: 'not-sent',
        explanation: 'host-not-found',
        message:
          'The host name smtp.example.com could not be resolved: getaddrinfo ENOTFOUND smtp.example.com',
      },
      retry: 'counted',
    })
  })

  it('that is resolved too late opens nothing', async () => {
    arrange({ 587: GREETS })
    let answer = () => {}
    net.lookUp = (_host, done) => {
      answer = () => done(undefined, [V4])
    }
    const { afterMs, error } = await race(create())
    expect([afterMs, error?.message]).toEqual([
      LIMIT_MS,
      'The host name smtp.example.com could not be resolved: no answer within 10000 ms',
    ])
    answer()
    await clock.settle()
    expect(opened).toEqual([])
  })
})

it('destroys its sockets and tells nobody where it is given up', async () => {
  arrange({ 587: SILENT, 2525: NOTHING })
  const { ends, cancel } = start(create())
  await clock.advance(2_500)
  expect(opened).toHaveLength(3)
  cancel()
  for (const { socket } of opened) expect(socket.destroyed).toBe(true)
  await clock.advance(60_000)
  expect([ends, opened.length]).toEqual([[], 3])
})

it('opens nothing where it is given up before the name is resolved', async () => {
  arrange({ 587: GREETS })
  let answer = () => {}
  net.lookUp = (_host, done) => {
    answer = () => done(undefined, [V4])
  }
  const { ends, cancel } = start(create())
  cancel()
  answer()
  await clock.advance(60_000)
  expect([ends, opened]).toEqual([[], []])
})
