import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { installVirtualClock, MemorySocket } from '@postmark-smtp/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createRedactor } from '../problems/redact.js'
import type { Failure } from '../problems/smtp-failure.js'
import { smtpError } from '../problems/smtp-failure.js'
import { Channel } from './channel.js'
import { type Opened, openSession, type SessionPlan } from './open-session.js'
import type { OpenCallback, Opener } from './opener.js'
import { createTlsContext } from './start-tls.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const OLD = '0f0f0f0f-8a34-4d3a-9a60-2f7f6c1f0a11'
let clock: ReturnType<typeof installVirtualClock>

beforeEach(() => {
  clock = installVirtualClock()
})

afterEach(() => {
  const pending = clock.pending()
  clock.uninstall()
  expect(pending).toEqual([])
})

const EHLO = '250-x\r\n250 AUTH CRAM-MD5\r\n'

/** A server on each port that answers one line after the other. */
function setUp(
  scripts: readonly (readonly [port: number, ...replies: string[]])[],
  plan: Partial<SessionPlan> = {},
  ports = [587, 2525],
) {
  const dead = new Set<number>()
  const sockets: MemorySocket[] = []
  const left = [...scripts]
  const given: (() => void)[] = []
  const opener: Opener = {
    bury: (port) => dead.add(port),
    get hasLivePort() {
      return ports.some((port) => !dead.has(port))
    },
    wasGreeted: false,
    open: (_limitMs, log, done: OpenCallback) => {
      const [port, ...replies] = left.shift() ?? [0]
      let cancelled = false
      const socket = new MemorySocket({
        heard: () => {
          const reply = replies.shift()
          if (reply !== undefined) queueMicrotask(() => socket.deliver(Buffer.from(`${reply}\r\n`)))
          return true
        },
        ended: () => {},
        gone: () => {},
      })
      given.push(() => {
        if (cancelled) return
        if (port === 0) {
          const error = smtpError('Nothing answers', {
            code: 'ECONNREFUSED',
            phase: 'connect',
            outcome: 'not-sent',
          })
          done({ error, retry: 'counted' })
          return
        }
        sockets.push(socket)
        done(undefined, { channel: new Channel(socket, { onEnd: () => {} }, log), port })
      })
      clock.schedule(1, given.at(-1)!)
      return () => {
        cancelled = true
      }
    },
  }
  const results: ({ readonly opened: Opened } | { readonly failure: Failure })[] = []
  const redactor = createRedactor()
  const opening = openSession(
    {
      host: '127.0.0.1',
      opener,
      tls: undefined,
      authMethod: undefined,
      login: () => ({ user: TOKEN, pass: TOKEN }),
      rotates: false,
      limits: { raceMs: 10_000, replyMs: 60_000, finalMs: 120_000 },
      logger: false,
      redactor,
      ...plan,
    },
    (result) => results.push(result),
  )
  const tell = () =>
    results.map((result) => {
      if ('opened' in result) return { port: result.opened.port }
      const { code, phase, port, message } = result.failure.error
      return { code, phase, port, message }
    })
  return { opening, tell, results, sockets, left, redactor, dead }
}

it('opens a session that is logged in, and tells how far it is', async () => {
  const events: unknown[] = []
  const listener = (event: unknown) => events.push(event)
  subscribe('postmark-smtp:connect', listener)
  const { opening, tell, results, redactor } = setUp([[587, EHLO.trim(), '334 PDFAeD4=', '235 ok']])
  expect(opening.state).toBe('connecting')
  await clock.advance(1)
  unsubscribe('postmark-smtp:connect', listener)
  expect(tell()).toEqual([{ port: 587 }])
  expect(events).toMatchObject([{ host: '127.0.0.1', port: 587, durationMs: 1, inUse: undefined }])
  expect(redactor.text(`${TOKEN} is known`)).toBe('[redacted] is known')
  for (const result of results) if ('opened' in result) result.opened.channel.destroy()
})

it('takes both halves of a login out of what is said from then on', async () => {
  const login = () => ({ user: 'PM-T-outbound-abcdef', pass: 'another-secret-of-it' })
  const { opening, redactor } = setUp([[587, EHLO.trim()]], { login })
  await clock.advance(1)
  expect(redactor.text('PM-T-outbound-abcdef, another-secret-of-it')).toBe('[redacted], [redacted]')
  opening.cancel()
})

it('says in which part of the login it is', async () => {
  const { opening, sockets } = setUp([[587]])
  await clock.advance(1)
  expect(opening.state).toBe('greeted')
  sockets[0]!.deliver(Buffer.from(EHLO))
  await clock.settle()
  expect(opening.state).toBe('authenticating')
  opening.cancel()
})

it('fails as its connection does', async () => {
  const { tell, opening } = setUp([])
  await clock.advance(1)
  expect(tell()).toMatchObject([{ code: 'ECONNREFUSED', phase: 'connect' }])
  opening.cancel()
})

it('asks for the login once more where it was refused and may have been rotated', async () => {
  const tokens = [OLD, TOKEN]
  const login = () => {
    const token = tokens.shift()!
    return { user: token, pass: token }
  }
  const { tell, results, sockets, redactor } = setUp(
    [
      [587, EHLO.trim(), '334 PDFAeD4=', '535 no'],
      [587, EHLO.trim(), '334 PDFAeD4=', '235 ok'],
    ],
    { login, rotates: true },
  )
  await clock.advance(10)
  expect(tell()).toEqual([{ port: 587 }])
  expect([sockets[0]!.destroyed, tokens]).toEqual([true, []])
  expect(redactor.text(`${OLD} ${TOKEN}`)).toBe('[redacted] [redacted]')
  for (const result of results) if ('opened' in result) result.opened.channel.destroy()
})

it.each<[string, Partial<SessionPlan>, string, number]>([
  ['is refused again', { rotates: true }, '535 no', 2],
  ['is fixed', { rotates: false }, '535 no', 1],
  ['is deferred', { rotates: true }, '454 later', 1],
])('is asked for no further time where the login %s', async (_what, plan, reply, logins) => {
  let asked = 0
  const login = () => {
    asked++
    return { user: TOKEN, pass: TOKEN }
  }
  const refused = [587, EHLO.trim(), '334 PDFAeD4=', reply] as const
  const { tell, left } = setUp([refused, refused, refused], { ...plan, login })
  await clock.advance(10)
  expect(tell()).toMatchObject([{ code: 'EAUTH', phase: 'login', port: 587 }])
  expect([asked, left.length]).toEqual([logins, 3 - logins])
})

it('goes on to the next port where one has no TLS, and fails where none has', async () => {
  const { tell, left, dead } = setUp(
    [
      [587, '250 hello'],
      [2525, '250 hello'],
      [587, '250 hello'],
    ],
    { tls: createTlsContext() },
  )
  await clock.advance(10)
  expect(tell()).toMatchObject([{ code: 'ETLS', port: 2525 }])
  expect([left.length, [...dead]]).toEqual([1, [587, 2525]])
})

it('fails where a port without TLS wins again, since the others are silent', async () => {
  const { tell, left } = setUp(
    [
      [587, '250 hello'],
      [587, '250 hello'],
      [587, '250 hello'],
    ],
    { tls: createTlsContext() },
  )
  await clock.advance(10)
  expect(tell()).toMatchObject([{ code: 'ETLS', port: 587 }])
  expect(left).toHaveLength(1)
})

it('tells nobody once it is cancelled, wherever it was', async () => {
  for (const afterMs of [0, 1]) {
    const { opening, tell, sockets, left } = setUp([[587], [587]], { rotates: true })
    await clock.advance(afterMs)
    opening.cancel()
    await clock.advance(100)
    expect([tell(), left.length]).toEqual([[], 1])
    for (const socket of sockets) expect(socket.destroyed).toBe(true)
  }
})

it('opens nothing where it is cancelled in the tick in which it was asked for', async () => {
  const { opening, left } = setUp([[587]])
  opening.cancel()
  await clock.advance(100)
  expect(left).toHaveLength(1)
})

it('opens nothing once it is cancelled while the login is asked for', async () => {
  let give: (login: { user: string; pass: string }) => void = () => {}
  const login = () =>
    new Promise<{ user: string; pass: string }>((resolve) => {
      give = resolve
    })
  const { opening, tell, sockets } = setUp([[587, EHLO.trim()]], { login })
  await clock.advance(1)
  opening.cancel()
  give({ user: TOKEN, pass: TOKEN })
  await clock.advance(100)
  expect([tell(), sockets[0]!.destroyed]).toEqual([[], true])
})
