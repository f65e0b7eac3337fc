import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { installVirtualClock, loopbackCertificate, MemorySocket } from '@postmark-smtp/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRedactor } from '../problems/redact.js'
import { Channel } from './channel.js'
import { Handshake, type HandshakePlan, type HandshakeResult } from './handshake.js'
import { createSmtpLog } from './smtp-log.js'
import { createTlsContext } from './start-tls.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const LIMIT_MS = 60_000

/** What a result tells, in short. */
function tell(result: HandshakeResult | undefined) {
  if (!result) return undefined
  if ('capabilities' in result) return { keywords: [...result.capabilities.keywords.keys()] }
  const { error, retry } = result.failure
  const { code, phase, outcome, command, message, explanation, responseCode } = error
  return { code, phase, outcome, command, message, explanation, responseCode, retry, ofPort: result.ofPort }
}

const planOf = (plan: Partial<HandshakePlan> = {}): HandshakePlan => ({
  host: '127.0.0.1',
  port: 587,
  tls: undefined,
  authMethod: undefined,
  login: () => ({ user: TOKEN, pass: TOKEN }),
  limitMs: LIMIT_MS,
  ...plan,
})

describe('on a driven clock', () => {
  let clock: ReturnType<typeof installVirtualClock>

  beforeEach(() => {
    clock = installVirtualClock()
  })

  afterEach(() => {
    const pending = clock.pending()
    clock.uninstall()
    expect(pending).toEqual([])
  })

  function setUp(plan: Partial<HandshakePlan> = {}) {
    const heard: string[] = []
    const socket = new MemorySocket({
      heard: (bytes) => heard.push(String(bytes)) > 0,
      ended: () => {},
      gone: () => {},
    })
    const log: string[] = []
    const logger = { debug: (_entry: object, text: string) => log.push(text) }
    const channel = new Channel(socket, { onEnd: () => {} }, createSmtpLog(logger, createRedactor()))
    const handshake = new Handshake(channel, planOf(plan))
    const set = { channel, handshake, heard, socket, log, result: undefined as HandshakeResult | undefined }
    void handshake.run().then((result) => {
      set.result = result
    })
    const say = async (...lines: string[]) => {
      socket.deliver(Buffer.from(lines.map((line) => `${line}\r\n`).join('')))
      await clock.settle()
    }
    const settle = async () => {
      await clock.settle()
      return tell(set.result)
    }
    return Object.assign(set, { say, settle })
  }

  const EHLO = ['250-x', '250-PIPELINING', '250 AUTH CRAM-MD5']
  const CHALLENGE = `334 ${btoa('<1@x>')}`

  it('says EHLO and logs in, with a time limit that ends with it', async () => {
    const { say, settle, heard, channel, socket, handshake, log } = setUp()
    expect([handshake.state, heard]).toEqual(['greeted', ['EHLO [127.0.0.1]\r\n']])
    await say(...EHLO)
    expect([handshake.state, heard.at(-1)]).toEqual(['authenticating', 'AUTH CRAM-MD5\r\n'])
    await say(CHALLENGE)
    expect(atob(heard.at(-1)!)).toMatch(new RegExp(`^${TOKEN} [0-9a-f]{32}$`))
    await say('235 ok')
    expect(await settle()).toEqual({ keywords: ['PIPELINING', 'AUTH'] })
    await clock.advance(2 * LIMIT_MS)
    expect(socket.destroyed).toBe(false)
    expect(log).toContain('(answer to the challenge)')
    expect(log.join('\n')).not.toContain(heard.at(-1)!.trim())
    channel.destroy()
  })

  it('says HELO where EHLO is not known, and has nothing to log in with then', async () => {
    const { say, settle, heard } = setUp()
    await say('502 what?')
    expect(heard.at(-1)).toBe('HELO [127.0.0.1]\r\n')
    await say('250 hello')
    expect(await settle()).toMatchObject({
      code: 'EAUTH',
      outcome: 'not-sent',
      retry: 'never',
      explanation: 'no-safe-mechanism',
      responseCode: undefined,
    })
  })

  it.each<[string, object]>([
    ['421 busy', { code: 'EPROTOCOL', outcome: 'deferred', retry: 'counted', responseCode: 421 }],
    ['450 later', { outcome: 'deferred', retry: 'counted' }],
    ['554 no', { outcome: 'rejected', retry: 'never' }],
    ['354 go on', { code: 'EPROTOCOL', outcome: 'not-sent', retry: 'counted', responseCode: undefined }],
    ['what?', { code: 'EPROTOCOL', outcome: 'not-sent', retry: 'counted' }],
    ['250-x\r\n250 AUTH CRAM-MD5\r\n250 stray', { code: 'EPROTOCOL', outcome: 'not-sent', retry: 'counted' }],
  ])('fails with the reply %j to EHLO', async (reply, expected) => {
    const { say, settle, heard, socket } = setUp()
    await say(reply)
    expect(await settle()).toMatchObject({ phase: 'login', ofPort: false, ...expected })
    expect([heard.length, socket.destroyed]).toEqual([1, true])
  })

  it.each<[string, string, HandshakePlan['authMethod']]>([
    ['offers only what shows the token', '250 AUTH PLAIN LOGIN', undefined],
    ['offers no login', '250 SIZE', undefined],
    ['does not offer the one that is asked for', '250 AUTH CRAM-MD5', 'DIGEST-MD5'],
    ['is asked for one that shows the token', '250 AUTH PLAIN CRAM-MD5', 'PLAIN'],
  ])('writes no credential in clear where the server %s', async (_what, offer, authMethod) => {
    let asked = 0
    const login = () => {
      asked++
      return { user: TOKEN, pass: TOKEN }
    }
    const { say, settle, heard } = setUp({ authMethod, login })
    await say('250-x', offer)
    expect(await settle()).toMatchObject({ code: 'EAUTH', explanation: 'no-safe-mechanism', retry: 'never' })
    expect([heard.length, asked]).toEqual([1, 0])
  })

  it.each<[string, () => never, string]>([
    [
      'throws',
      () => {
        throw new Error('The store is down')
      },
      'No credentials: The store is down',
    ],
    [
      'rejects',
      () => Promise.reject(new Error('The store is down')) as never,
      'No credentials: The store is down',
    ],
    ['rejects with a value', () => Promise.reject('down') as never, 'No credentials: down'],
  ])('is not tried again where the function for credentials %s', async (_what, login, message) => {
    const { say, settle } = setUp({ login })
    await say(...EHLO)
    expect(await settle()).toMatchObject({ code: 'EAUTH', outcome: 'not-sent', retry: 'never', message })
  })

  it('is late where the function for credentials does not answer', async () => {
    const { say, settle, socket } = setUp({ login: () => new Promise(() => {}) })
    await say(...EHLO)
    await clock.advance(LIMIT_MS)
    expect(await settle()).toMatchObject({
      code: 'ETIMEDOUT',
      retry: 'counted',
      explanation: 'credentials-late',
    })
    expect(socket.destroyed).toBe(true)
  })

  it('is late by the server where it has been told who logs in, and does not answer', async () => {
    const { say, settle } = setUp({ login: async () => ({ user: TOKEN, pass: TOKEN }) })
    await say(...EHLO)
    await clock.advance(LIMIT_MS)
    expect(await settle()).toMatchObject({ code: 'ETIMEDOUT', explanation: 'login-timeout' })
  })

  it('is late after its time as a whole, whatever comes meanwhile', async () => {
    const { say, settle, socket } = setUp()
    for (let byte = 0; byte < 59; byte++) {
      await clock.advance(1_000)
      socket.deliver(Buffer.from('2'))
    }
    expect(await settle()).toBeUndefined()
    await say('')
    await clock.advance(1_001)
    expect(await settle()).toMatchObject({ retry: 'counted' })
    expect(socket.destroyed).toBe(true)
  })

  it.each<[string, object]>([
    ['535 5.7.8 no', { code: 'EAUTH', outcome: 'not-sent', retry: 'never', explanation: 'login-refused' }],
    ['535 ServerAPI key required', { explanation: 'account-token' }],
    ['535 User name and password must match', { explanation: 'user-is-not-password' }],
    ['454 later', { code: 'EAUTH', outcome: 'deferred', retry: 'counted', responseCode: 454 }],
    ['421 bye', { code: 'EAUTH', outcome: 'deferred', retry: 'counted' }],
    ['250 ok', { code: 'EPROTOCOL', outcome: 'not-sent', retry: 'counted' }],
  ])('fails with the reply %j to the login', async (reply, expected) => {
    for (const before of [[], [CHALLENGE]]) {
      const { say, settle, socket } = setUp()
      await say(...EHLO)
      for (const line of before) await say(line)
      await say(reply)
      expect(await settle()).toMatchObject({ phase: 'login', ...expected })
      expect(socket.destroyed).toBe(true)
    }
  })

  it('knows a refused login also where the server hangs up in the same tick, and a login that was lost with it', async () => {
    for (const [reply, expected] of [
      ['535 no', { code: 'EAUTH', retry: 'never' }],
      ['235 ok', { code: 'ECONNECTION', outcome: 'not-sent', retry: 'counted' }],
    ] as const) {
      const { say, settle, socket } = setUp()
      await say(...EHLO)
      await say(CHALLENGE)
      process.nextTick(() => {
        socket.deliver(Buffer.from(`${reply}\r\n`))
        socket.deliverEnd()
      })
      expect(await settle()).toMatchObject(expected)
    }
  })

  it('believes no server that does not know the token (DIGEST-MD5), and answers no challenge that is none', async () => {
    for (const [replies, message] of [
      [[`334 ${btoa('nonce="n",qop="auth",realm="x"')}`, `334 ${btoa('rspauth=0123')}`], /could not prove/],
      [[`334 ${btoa('nothing')}`], /cannot be answered/],
    ] as const) {
      const { say, settle, socket } = setUp()
      await say('250-x', '250 AUTH DIGEST-MD5')
      for (const reply of replies) await say(reply)
      expect(await settle()).toMatchObject({ code: 'EAUTH', outcome: 'not-sent', retry: 'never' })
      expect(tell(undefined)).toBeUndefined()
      expect(String((await settle())?.message)).toMatch(message)
      expect(socket.destroyed).toBe(true)
    }
  })

  it.each<[string, string[]]>([
    ['EHLO', []],
    ['AUTH', EHLO],
  ])('may be tried again where the connection is lost at %s', async (_at, replies) => {
    for (const act of [
      (socket: MemorySocket) => socket.deliverEnd(),
      (socket: MemorySocket) => void socket.destroy(new Error('reset')),
    ]) {
      const { say, settle, socket } = setUp()
      if (replies.length > 0) await say(...replies)
      act(socket)
      expect(await settle()).toMatchObject({
        code: 'ECONNECTION',
        phase: 'login',
        outcome: 'not-sent',
        retry: 'counted',
      })
    }
  })

  it('is broken off without a result', async () => {
    const { settle, handshake, socket } = setUp()
    handshake.abort()
    expect(await settle()).toBeUndefined()
    expect(socket.destroyed).toBe(true)
  })

  describe('where TLS is required', () => {
    const tls = createTlsContext()

    it.each<[string, string[][], object]>([
      [
        'is not offered',
        [['250-x', '250 AUTH PLAIN']],
        { code: 'ETLS', explanation: 'starttls-missing', retry: 'never', ofPort: true },
      ],
      [
        'is refused',
        [['250-x', '250 STARTTLS'], ['502 what?']],
        { code: 'ETLS', explanation: 'starttls-missing', retry: 'never', ofPort: true, responseCode: 502 },
      ],
      [
        'is refused for now',
        [['250-x', '250 STARTTLS'], ['454 later']],
        { outcome: 'deferred', retry: 'counted', ofPort: false },
      ],
      ['is answered with 250', [['250-x', '250 STARTTLS'], ['250 ok']], { code: 'ETLS', ofPort: true }],
    ])('nothing but EHLO and STARTTLS is written in clear: STARTTLS %s', async (_what, replies, expected) => {
      const { say, settle, heard, socket } = setUp({ tls })
      for (const each of replies) await say(...each)
      expect(await settle()).toMatchObject({ phase: 'tls', ...expected })
      expect(heard).toEqual(['EHLO [127.0.0.1]\r\n', 'STARTTLS\r\n'].slice(0, replies.length))
      expect(socket.destroyed).toBe(true)
    })

    it.each([
      ['a reply', '250 injected\r\n'],
      ['part of one', '250-inj'],
      ['a byte', '\n'],
    ])('%s in one piece with the reply to STARTTLS ends it: that was sent in clear', async (_what, bytes) => {
      const { say, settle, heard, socket } = setUp({ tls })
      await say('250-x', '250 STARTTLS')
      socket.deliver(Buffer.from(`220 go on\r\n${bytes}`))
      expect(await settle()).toMatchObject({
        code: 'EPROTOCOL',
        phase: 'tls',
        outcome: 'not-sent',
        retry: 'never',
      })
      expect([heard.length, socket.destroyed]).toEqual([2, true])
    })

    it('options of TLS that Node refuses are a failure of TLS', async () => {
      const { say, settle, socket } = setUp({
        tls: createTlsContext({ ca: 'none', minVersion: 'TLSv9' as never }),
      })
      await say('250-x', '250 STARTTLS')
      await say('220 go on')
      expect(await settle()).toMatchObject({
        code: 'ETLS',
        phase: 'tls',
        retry: 'never',
        message: /^TLS cannot be set up: / as never,
      })
      expect(socket.destroyed).toBe(true)
    })

    it('a server that is silent in it is late, and its socket is destroyed', async () => {
      const { say, settle, socket, handshake, heard } = setUp({ tls })
      await say('250-x', '250 STARTTLS')
      await say('220 go on')
      expect(handshake.state).toBe('securing')
      expect(heard.length).toBeGreaterThan(2)
      await clock.advance(LIMIT_MS)
      expect(await settle()).toMatchObject({ code: 'ETIMEDOUT', phase: 'tls', retry: 'counted' })
      expect(socket.destroyed).toBe(true)
    })

    it('a connection that breaks in it may be tried again', async () => {
      const { say, settle, socket } = setUp({ tls })
      await say('250-x', '250 STARTTLS')
      await say('220 go on')
      socket.destroy()
      expect(await settle()).toMatchObject({
        code: 'ECONNECTION',
        phase: 'tls',
        retry: 'counted',
        ofPort: false,
      })
    })

    it('is broken off with the socket of TLS', async () => {
      const { say, settle, socket, handshake } = setUp({ tls })
      await say('250-x', '250 STARTTLS')
      await say('220 go on')
      handshake.abort()
      await settle()
      expect(socket.destroyed).toBe(true)
    })
  })
})

describe('over TLS', () => {
  const closing: (() => Promise<void>)[] = []

  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })

  /** A server that answers each line from a table, in clear and in TLS. */
  async function connectTo(inClear: readonly string[], inTls: readonly string[]) {
    const { cert, key } = await loopbackCertificate()
    const heard: string[] = []
    const sockets: Socket[] = []
    const answer = (socket: Socket, replies: readonly string[], then?: () => void) => {
      const left = [...replies]
      const onData = (chunk: Buffer) => {
        heard.push(`${socket instanceof TLSSocket ? 'TLS' : 'clear'}: ${String(chunk).trim()}`)
        socket.write(`${left.shift()}\r\n`)
        if (left.length === 0) {
          socket.off('data', onData)
          then?.()
        }
      }
      socket.on('data', onData).on('error', () => {})
    }
    const server = createServer((socket) => {
      sockets.push(socket)
      answer(socket, inClear, () => answer(new TLSSocket(socket, { isServer: true, cert, key }), inTls))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    })
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const channel = new Channel(socket, { onEnd: () => {} }, createSmtpLog(false, createRedactor()))
    return { channel, heard, cert }
  }

  const CLEAR = ['250-x\r\n250-STARTTLS\r\n250-PIPELINING\r\n250 AUTH CRAM-MD5', '220 go on']

  it('forgets what the server offered in clear, and logs in with what it offers then', async () => {
    const { channel, heard, cert } = await connectTo(CLEAR, [
      '250-x\r\n250 AUTH LOGIN',
      '334 user',
      '334 pass',
      '235 ok',
    ])
    const result = await new Handshake(channel, planOf({ tls: createTlsContext({ ca: cert }) })).run()
    expect(tell(result)).toEqual({ keywords: ['AUTH'] })
    expect(heard).toEqual([
      'clear: EHLO [127.0.0.1]',
      'clear: STARTTLS',
      'TLS: EHLO [127.0.0.1]',
      'TLS: AUTH LOGIN',
      `TLS: ${btoa(TOKEN)}`,
      `TLS: ${btoa(TOKEN)}`,
    ])
    channel.destroy()
  })

  it('logs in with PLAIN in one round trip where that is offered', async () => {
    const { channel, heard, cert } = await connectTo(CLEAR, ['250-x\r\n250 AUTH LOGIN PLAIN', '235 ok'])
    await new Handshake(channel, planOf({ tls: createTlsContext({ ca: cert }) })).run()
    expect(heard.slice(3)).toEqual([`TLS: AUTH PLAIN ${btoa(`\0${TOKEN}\0${TOKEN}`)}`])
    channel.destroy()
  })

  it('writes nothing to a server whose certificate is not trusted', async () => {
    const { channel, heard } = await connectTo(CLEAR, ['250-x\r\n250 AUTH PLAIN', '235 ok'])
    const result = await new Handshake(channel, planOf({ tls: createTlsContext() })).run()
    expect(tell(result)).toMatchObject({
      code: 'ETLS',
      explanation: 'certificate',
      retry: 'never',
      ofPort: true,
    })
    expect(heard).toHaveLength(2)
  })
})
