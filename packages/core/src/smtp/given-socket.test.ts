import { installVirtualClock, MemorySocket } from '@postmark-smtp/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createRedactor } from '../problems/redact.js'
import type { Failure } from '../problems/smtp-failure.js'
import { createGivenSockets, type GetSocket } from './given-socket.js'
import type { Greeted } from './opener.js'
import { createSmtpLog } from './smtp-log.js'

let clock: ReturnType<typeof installVirtualClock>

beforeEach(() => {
  clock = installVirtualClock()
})

afterEach(() => {
  const pending = clock.pending()
  clock.uninstall()
  expect(pending).toEqual([])
})

const createSocket = () => new MemorySocket({ heard: () => true, ended: () => {}, gone: () => {} })
const log = createSmtpLog(false, createRedactor())

/** Opens one channel within 10 s. */
function open(getSocket: GetSocket) {
  const race = { calls: 0, cancelled: 0, wasGreeted: false, hasLivePort: false, bury: () => {} }
  const opener = createGivenSockets(getSocket, 'smtp.example.com', 587, {
    ...race,
    open: (limitMs, _log, done) => {
      expect(limitMs).toBe(10_000)
      race.calls++
      const greeted = { port: 2525 } as Greeted
      clock.schedule(
        5,
        () => race.cancelled === 0 && done(undefined, { ...greeted, channel: undefined as never }),
      )
      return () => race.cancelled++
    },
  })
  const ends: (Failure | Greeted)[] = []
  const cancel = opener.open(10_000, log, (failure, greeted) => ends.push((failure ?? greeted)!))
  const tell = () =>
    ends.map((end) => {
      if ('channel' in end) return { port: end.port }
      const { code, outcome, phase, message, explanation } = end.error
      return { code, outcome, phase, message, explanation, retry: end.retry }
    })
  return { opener, ends, tell, cancel, race }
}

/** Opens one with a socket that is given at once. */
function openGiven(socket = createSocket()) {
  return { socket, ...open((_options, done) => done(null, { connection: socket })) }
}

it('gives a channel once the server has greeted, and notes that there is one', async () => {
  const asked: object[] = []
  const socket = createSocket()
  const { tell, opener, ends } = open((options, done) => {
    asked.push(options)
    done(null, { connection: socket })
  })
  expect([asked, opener.wasGreeted, opener.hasLivePort]).toEqual([
    [{ host: 'smtp.example.com', port: 587, secure: false, connectionTimeout: 10_000 }],
    false,
    false,
  ])
  socket.deliver(Buffer.from('220 hello\r\n'))
  await clock.settle()
  expect([tell(), opener.wasGreeted]).toEqual([[{ port: undefined }], true])
  await clock.advance(60_000)
  expect(ends).toHaveLength(1)
  expect(socket.destroyed).toBe(false)
})

it.each<[string, GetSocket, object]>([
  [
    'throws',
    () => {
      throw new Error('No proxy')
    },
    { code: 'ECONNECTION', message: 'getSocket threw: No proxy' },
  ],
  [
    'throws a value',
    () => {
      throw 'no' as never
    },
    { message: 'getSocket threw: no' },
  ],
  [
    'fails',
    (_options, done) => done(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })),
    { code: 'ECONNREFUSED', message: 'getSocket failed: connect ECONNREFUSED' },
  ],
  [
    'is an async function that throws',
    async () => {
      await undefined
      throw new Error('No proxy')
    },
    { code: 'ECONNECTION', message: 'getSocket threw: No proxy' },
  ],
  ['fails with a value', (_options, done) => done('no' as never), { message: 'getSocket failed: no' }],
  [
    'gives no socket',
    (_options, done) => done(null, { connection: {} }),
    { message: 'getSocket returned no socket' },
  ],
  [
    'gives a socket that is closed',
    (_options, done) => done(null, { connection: createSocket().destroy() }),
    { message: 'getSocket returned a closed socket' },
  ],
])('is a failure that may be tried again where getSocket %s', async (_what, getSocket, expected) => {
  const { tell, opener } = open(getSocket)
  await clock.settle()
  expect(tell()).toMatchObject([{ outcome: 'not-sent', phase: 'connect', retry: 'counted', ...expected }])
  expect(opener.wasGreeted).toBe(false)
})

it('is late where getSocket never calls back, and destroys the socket that comes after that', async () => {
  let call: Parameters<GetSocket>[1] = () => {}
  const { tell } = open((_options, done) => {
    call = done
  })
  await clock.advance(9_999)
  expect(tell()).toEqual([])
  await clock.advance(1)
  expect(tell()).toMatchObject([
    { code: 'ETIMEDOUT', message: 'getSocket returned no socket within 10000 ms', retry: 'counted' },
  ])
  const socket = createSocket()
  call(null, { connection: socket })
  expect([socket.destroyed, tell().length]).toEqual([true, 1])
})

it('takes the first socket only where getSocket calls back twice, whatever comes second', async () => {
  const [first, second] = [createSocket(), createSocket()]
  const { tell } = open((_options, done) => {
    done(null, { connection: first })
    done(null, { connection: second })
    done(new Error('late'))
    done(null, { connection: {} })
  })
  first.deliver(Buffer.from('220 hello\r\n'))
  await clock.settle()
  expect([tell(), first.destroyed, second.destroyed]).toEqual([[{ port: undefined }], false, true])
})

it.each<[string, string, object]>([
  [
    'says 421',
    '421 busy\r\n',
    {
      code: 'EGREETING',
      outcome: 'deferred',
      retry: 'counted',
      message: 'The server greeted with "421 busy"',
    },
  ],
  ['says 554', '554 no\r\n', { code: 'EGREETING', outcome: 'rejected', retry: 'never' }],
  ['says 250', '250 hello\r\n', { code: 'EGREETING', outcome: 'not-sent', retry: 'counted' }],
  [
    'speaks no SMTP',
    'HTTP/1.1 400\r\n',
    { code: 'EPROTOCOL', outcome: 'not-sent', explanation: 'no-smtp-server' },
  ],
])('is a failure where the server %s in place of a greeting', async (_what, bytes, expected) => {
  const { socket, tell } = openGiven()
  socket.deliver(Buffer.from(bytes))
  await clock.settle()
  expect(tell()).toMatchObject([{ phase: 'connect', ...expected }])
  expect(socket.destroyed).toBe(true)
})

it.each<[string, (socket: MemorySocket) => void, object]>([
  [
    'ends',
    (socket) => socket.deliverEnd(),
    { code: 'ECONNECTION', message: 'The connection was closed before the greeting' },
  ],
  [
    'breaks',
    (socket) => void socket.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })),
    { code: 'ECONNRESET', message: 'read ECONNRESET' },
  ],
])('is a failure where the connection %s before the greeting', async (_what, act, expected) => {
  const { socket, tell } = openGiven()
  act(socket)
  await clock.settle()
  expect(tell()).toMatchObject([{ outcome: 'not-sent', retry: 'counted', ...expected }])
  expect(socket.destroyed).toBe(true)
})

it('is late where nothing greets, and destroys the socket', async () => {
  const { socket, tell } = openGiven()
  await clock.advance(10_000)
  expect(tell()).toMatchObject([
    {
      code: 'ETIMEDOUT',
      explanation: 'no-smtp-server',
      message: 'no greeting on the socket from getSocket within 10000 ms',
    },
  ])
  expect(socket.destroyed).toBe(true)
})

it.each<[string, Parameters<Parameters<GetSocket>[1]>[1]]>([
  ['nothing', undefined],
  ['false', false],
  ['an object without a connection', {} as never],
])('opens a socket as usual where getSocket gives %s', async (_what, given) => {
  const usual = open((_options, done) => done(null, given))
  await clock.advance(5)
  expect([usual.tell(), usual.race.calls]).toEqual([[{ port: 2525 }], 1])
  const cancelled = open((_options, done) => done(null, given))
  cancelled.cancel()
  await clock.advance(60_000)
  expect([cancelled.tell(), cancelled.race]).toMatchObject([[], { calls: 1, cancelled: 1 }])
})

it('tells nobody once it is cancelled, and destroys the socket, there already or yet to come', async () => {
  const early = openGiven()
  early.cancel()
  let call: Parameters<GetSocket>[1] = () => {}
  const late = open((_options, done) => {
    call = done
  })
  late.cancel()
  const socket = createSocket()
  call(null, { connection: socket })
  await clock.advance(60_000)
  expect([early.socket.destroyed, socket.destroyed]).toEqual([true, true])
  expect([early.tell(), late.tell()]).toEqual([[], []])
})

it('closes a socket that is given together with an error', async () => {
  const socket = createSocket()
  const { tell } = open((_options, done) => done(new Error('No proxy'), { connection: socket }))
  await clock.settle()
  expect([tell()[0]?.message, socket.destroyed]).toEqual(['getSocket failed: No proxy', true])
})

it('is not moved by an async getSocket that throws once it has given a socket', async () => {
  const socket = createSocket()
  const { tell } = open(async (_options, done) => {
    done(null, { connection: socket })
    throw new Error('Too late')
  })
  socket.deliver(Buffer.from('220 hello\r\n'))
  await clock.settle()
  expect([tell(), socket.destroyed]).toEqual([[{ port: undefined }], false])
})
