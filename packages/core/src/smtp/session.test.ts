import { Readable } from 'node:stream'
import { installVirtualClock, MemorySocket } from '@postmark-smtp/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRedactor } from '../problems/redact.js'
import { encodeBody } from './body-encoder.js'
import { parseCapabilities } from './capabilities.js'
import { Channel } from './channel.js'
import { Chunking } from './chunking.js'
import { Grouping, type Pipelining } from './grouping.js'
import { Session } from './session.js'
import type { Content, Shipment, TransactionResult } from './shipment.js'
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

const wholeOf = (text: string): Content => ({ kind: 'whole', ...encodeBody(Buffer.from(text)) })

/** An email that notes what its session does with it. */
class TestMail implements Shipment {
  readonly envelope: Shipment['envelope']
  readonly content: Content
  readonly phases: string[] = []
  readonly results: TransactionResult[] = []
  mayFinish = () => true
  isOfBatch = false

  constructor(name: string, { to = [`${name}-to@x.org`], content = wholeOf(`I am ${name}\r\n`) } = {}) {
    this.envelope = { from: `${name}@x.org`, to }
    this.content = content
  }

  onPhase(phase: string) {
    this.phases.push(phase)
  }

  settle(result: TransactionResult) {
    this.results.push(result)
  }

  /** The one result, in short. */
  get told() {
    expect(this.results.length).toBeLessThanOrEqual(1)
    const [result] = this.results
    if (!result) return undefined
    if ('sent' in result) return { sent: result.sent.response }
    const { code, outcome, phase, message, explanation } = result.error
    return { code, outcome, phase, message, retry: result.retry, ...(explanation ? { explanation } : {}) }
  }
}

interface Given {
  readonly offers?: readonly string[]
  readonly pipelining?: Pipelining
  readonly accepts?: () => boolean
  readonly grouping?: Grouping
  readonly chunking?: Chunking
}

function setUp({ offers = ['PIPELINING'], pipelining = 'auto', accepts = () => true, ...given }: Given = {}) {
  const heard: string[] = []
  const sides: string[] = []
  const socket = new MemorySocket({
    heard: (bytes) => {
      heard.push(String(bytes))
      return accepts()
    },
    ended: () => sides.push('ended'),
    gone: () => sides.push('gone'),
  })
  const log: string[] = []
  const logger = { debug: (entry: { tnx: string }, text: string) => log.push(`${entry.tnx}: ${text}`) }
  const channel = new Channel(socket, { onEnd: () => {} }, createSmtpLog(logger, createRedactor()))
  const grouped: unknown[] = []
  const grouping = given.grouping ?? new Grouping((...event) => grouped.push(event))
  const chunking = given.chunking ?? new Chunking((...event) => grouped.push(event))
  const told: string[] = []
  const waiting: Shipment[] = []
  const session = new Session(
    {
      channel,
      capabilities: parseCapabilities({ code: 250, lines: ['x', ...offers], response: '' }),
      port: 587,
    },
    {
      onReady: () => told.push('ready'),
      onClosed: () => told.push('closed'),
      takeNext: (_session, accepts) => (waiting[0] && accepts(waiting[0]) ? waiting.shift() : undefined),
    },
    {
      limits: { raceMs: 1_000, replyMs: 60_000, finalMs: 120_000 },
      pipelining,
      grouping,
      chunking,
      inFlight: { single: 4, batch: 10 },
      idleMs: () => 30_000,
    },
  )
  /** Delivers replies in one piece. */
  const say = async (...lines: string[]) => {
    socket.deliver(Buffer.from(lines.map((line) => `${line}\r\n`).join('')))
    await clock.settle()
  }
  const end = async () => {
    socket.deliverEnd()
    await clock.settle()
  }
  const reset = async () => {
    socket.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
    await clock.settle()
  }
  return {
    session,
    socket,
    grouping,
    grouped,
    told,
    waiting,
    heard,
    sides,
    log,
    say,
    end,
    reset,
    channel,
  }
}

const ENVELOPE_A = 'MAIL FROM:<a@x.org>\r\nRCPT TO:<a-to@x.org>\r\nDATA\r\n'
const ENVELOPE_B = 'MAIL FROM:<b@x.org>\r\nRCPT TO:<b-to@x.org>\r\nDATA\r\n'
const GO = ['250 sender', '250 recipient', '354 go on']

describe('one email', () => {
  it('goes in one write for the envelope and one for the body, where the server offers PIPELINING', async () => {
    const { session, heard, say, told, socket, log } = setUp({ offers: ['PIPELINING', 'SIZE'] })
    const mail = new TestMail('a')
    expect(session.state).toBe('ready')
    expect(socket.referenced).toBe(false)
    session.send(mail)
    expect([session.state, socket.referenced]).toEqual(['transaction', false])
    await clock.advance(20)
    await say(...GO)
    await clock.advance(50)
    await say('250 2.0.0 Ok: queued as 1')
    expect(heard).toEqual([ENVELOPE_A.replace('g>', 'g> SIZE=8'), 'I am a\r\n.\r\n'])
    expect(mail.results).toEqual([
      {
        sent: {
          accepted: ['a-to@x.org'],
          rejected: [],
          rejectedErrors: [],
          response: '250 2.0.0 Ok: queued as 1',
          envelopeTime: 20,
          messageTime: 50,
          messageSize: 8,
        },
      },
    ])
    expect(mail.phases).toEqual(['envelope', 'body', 'final'])
    expect([told, session.state]).toEqual([['ready'], 'ready'])
    expect(socket.referenced).toBe(false)
    expect(log).toContain('client: (end of the email, 8 bytes)')
    expect(log.join()).not.toContain('I am a')
    session.close(true)
  })

  it.each<[string, Given]>([
    ['the server does not offer PIPELINING', { offers: ['SIZE'] }],
    ['pipelining is off', { pipelining: false }],
  ])('goes one command at a time where %s', async (_what, given) => {
    const { session, heard, say, told } = setUp(given)
    const mail = new TestMail('a', { to: ['b@x.org', 'c@x.org'] })
    session.send(mail)
    const steps = ['MAIL FROM:<a@x.org>', 'RCPT TO:<b@x.org>', 'RCPT TO:<c@x.org>', 'DATA']
    for (const step of steps) {
      expect(heard.splice(0)).toEqual([expect.stringMatching(new RegExp(`^${step}[^\n]*\r\n$`))])
      await say(step === 'DATA' ? '354 go on' : '250 ok')
    }
    expect(heard).toEqual(['I am a\r\n.\r\n'])
    await say('250 ok')
    expect([mail.told, told]).toEqual([{ sent: '250 ok' }, ['ready']])
    session.close(true)
  })

  it('reports the recipients that were refused where another one was accepted', async () => {
    const { session, say } = setUp()
    const mail = new TestMail('a', { to: ['b@x.org', 'c@x.org', 'd@x.org'] })
    session.send(mail)
    await say('250 ok', '550 no', '250 ok', '450 later', '354 go on')
    await say('250 ok')
    expect(mail.results).toMatchObject([
      {
        sent: {
          accepted: ['c@x.org'],
          rejected: ['b@x.org', 'd@x.org'],
          rejectedErrors: [
            { recipient: 'b@x.org', outcome: 'rejected', responseCode: 550, response: '550 no', port: 587 },
            { recipient: 'd@x.org', outcome: 'deferred', responseCode: 450, command: 'RCPT TO' },
          ],
        },
      },
    ])
    session.close(true)
  })
})

describe('a refused envelope', () => {
  const REJECTED = { outcome: 'rejected', retry: 'never', phase: 'envelope' }
  const DEFERRED = { outcome: 'deferred', retry: 'counted', phase: 'envelope' }

  it.each<[string, string[], object]>([
    [
      '5xx to MAIL',
      ['550 no', '503 no', '503 no'],
      { ...REJECTED, message: 'The sender was refused: 550 no' },
    ],
    [
      '4xx to MAIL',
      ['451 later', '503 no', '503 no'],
      { ...DEFERRED, message: 'The sender was refused: 451 later' },
    ],
    [
      '5xx to RCPT',
      ['250 ok', '550 no', '554 no'],
      { ...REJECTED, message: 'The recipient a-to@x.org was refused: 550 no' },
    ],
    [
      '4xx to RCPT',
      ['250 ok', '450 later', '554 no'],
      { ...DEFERRED, message: 'The recipient a-to@x.org was refused: 450 later' },
    ],
    [
      '4xx to DATA',
      ['250 ok', '250 ok', '451 later'],
      { ...DEFERRED, code: 'EMESSAGE', message: 'The server refused DATA: 451 later' },
    ],
    ['5xx to DATA', ['250 ok', '250 ok', '554 no'], { ...REJECTED, code: 'EMESSAGE' }],
  ])('is reset, and the session serves on: %s', async (_what, replies, expected) => {
    const { session, heard, say, told } = setUp()
    const mail = new TestMail('a')
    session.send(mail)
    await say(...replies)
    expect(mail.told).toMatchObject(expected)
    expect(heard.splice(0)).toEqual([ENVELOPE_A, 'RSET\r\n'])
    expect(told).toEqual(['ready'])
    // The reply to RSET need not be awaited where commands may be written ahead.
    const next = new TestMail('b')
    session.send(next)
    expect(heard).toEqual([ENVELOPE_B])
    await say('250 reset', ...GO)
    await say('250 ok')
    expect(next.told).toEqual({ sent: '250 ok' })
    session.close(true)
  })

  it.each<[string, string[], object]>([
    ['5xx to MAIL', ['550 no'], REJECTED],
    ['4xx to MAIL', ['450 later'], DEFERRED],
    ['all recipients refused', ['250 ok', '550 no'], REJECTED],
    ['DATA refused', ['250 ok', '250 ok', '451 later'], DEFERRED],
  ])(
    'is reset before the next email where commands go one at a time: %s',
    async (_what, replies, expected) => {
      const { session, heard, say, told } = setUp({ offers: [] })
      const mail = new TestMail('a')
      session.send(mail)
      for (const reply of replies) await say(reply)
      expect(mail.told).toMatchObject(expected)
      expect(heard).toHaveLength(replies.length + 1)
      expect([heard.at(-1), told]).toEqual(['RSET\r\n', []])
      await say('250 reset')
      expect(told).toEqual(['ready'])
      session.close(true)
    },
  )

  it.each<[string, string[], string]>([
    ['both', ['450 later', '550 no'], 'rejected'],
    ['both, the other way round', ['550 no', '450 later'], 'rejected'],
    ['for now', ['450 later', '451 later'], 'deferred'],
  ])(
    'of several recipients is deferred only where each was refused for now: %s',
    async (_what, replies, outcome) => {
      const { session, say } = setUp()
      const mail = new TestMail('a', { to: ['b@x.org', 'c@x.org'] })
      session.send(mail)
      await say('250 ok', ...replies, '554 no')
      expect(mail.results).toMatchObject([
        { error: { outcome, rejected: ['b@x.org', 'c@x.org'], rejectedErrors: [{}, {}] } },
      ])
      session.close(true)
    },
  )

  it.each<[string, string[], object]>([
    ['sender', ['503 no', '250 ok', '354 go on'], { message: 'The sender was refused: 503 no' }],
    [
      'recipient',
      ['250 ok', '550 no', '354 go on'],
      { message: 'The recipient a-to@x.org was refused: 550 no' },
    ],
    ['sender and recipient', ['550 no', '503 no', '354 go on'], { outcome: 'rejected' }],
  ])('sends no byte after a 354 without a %s that was accepted', async (_what, replies, expected) => {
    const { session, heard, say, told, sides } = setUp()
    const mail = new TestMail('a')
    session.send(mail)
    await say(...replies)
    expect(mail.told).toMatchObject({ ...REJECTED, ...expected })
    expect([heard, told, sides, session.state]).toEqual([[ENVELOPE_A], ['closed'], ['gone'], 'closed'])
  })

  it.each<[string, string[]]>([
    ['the reply 354 to MAIL', ['354 go on']],
    ['the reply 354 to RCPT', ['250 ok', '354 go on']],
    ['the reply 250 to DATA', ['250 ok', '250 ok', '250 ok']],
    ['the reply 250 to DATA', ['550 no', '250 ok', '250 ok']],
  ])('ends the session at %s', async (what, replies) => {
    const { session, heard, say, told, sides } = setUp()
    const mail = new TestMail('a')
    session.send(mail)
    await say(...replies)
    expect(mail.told).toMatchObject({
      code: 'EPROTOCOL',
      outcome: 'not-sent',
      retry: 'counted',
      message: `The server broke the protocol: ${what}`,
    })
    expect([heard, told, sides]).toEqual([[ENVELOPE_A], ['closed'], ['gone']])
  })

  it('ends the session where the reply to RSET is no 250; an email that was handed to it comes back uncounted', async () => {
    const { session, say, told } = setUp()
    const next = new TestMail('b')
    session.send(new TestMail('a'))
    await say('550 no', '503 no', '503 no')
    session.send(next)
    await say('502 what')
    expect(next.told).toMatchObject({ outcome: 'not-sent', retry: 'uncounted' })
    expect(told).toEqual(['ready', 'closed'])
  })

  it('leaves with QUIT where the reply to RSET does not come and no email waits', async () => {
    const { session, say, heard, told } = setUp({ offers: [] })
    session.send(new TestMail('a'))
    await say('550 no')
    await clock.advance(60_001)
    expect(heard.at(-1)).toBe('QUIT\r\n')
    await clock.advance(2_001)
    expect(told).toEqual(['closed'])
  })
})

describe('the reply to a body', () => {
  async function sendTo(reply: string | undefined, act: (set: ReturnType<typeof setUp>) => Promise<void>) {
    const set = setUp()
    const mail = new TestMail('a')
    set.session.send(mail)
    await set.say(...GO)
    if (reply !== undefined) await set.say(reply)
    await act(set)
    return { ...set, mail }
  }
  const nothing = async () => {}

  it.each(['220 x', '221 x', '235 x', '251 x', '252 x', '299 x', '334 x', '354 x'])(
    'accepts nothing where it is %s',
    async (reply) => {
      const { mail, told } = await sendTo(reply, nothing)
      expect(mail.told).toMatchObject({
        code: 'EPROTOCOL',
        outcome: 'unknown',
        retry: 'never',
        phase: 'final',
      })
      expect(told).toEqual(['closed'])
    },
  )

  it.each<[string, object, string]>([
    ['451 later', { code: 'EMESSAGE', outcome: 'deferred', retry: 'counted', phase: 'final' }, 'ready'],
    ['554 no', { code: 'EMESSAGE', outcome: 'rejected', retry: 'never', phase: 'final' }, 'ready'],
    ['421 bye', { code: 'ECONNECTION', outcome: 'deferred', retry: 'counted', phase: 'final' }, 'closed'],
  ])('decides where it is %s', async (reply, expected, state) => {
    const { mail, told, session, sides } = await sendTo(reply, nothing)
    expect(mail.told).toMatchObject(expected)
    expect(told).toEqual([state])
    // A server that says goodbye gets a proper end, so that TLS is not broken off.
    if (state === 'closed') expect(sides).toEqual(['ended', 'gone'])
    session.close(true)
  })

  it.each<[string, string | undefined, (set: ReturnType<typeof setUp>) => Promise<void>, object]>([
    ['the connection ends', undefined, ({ end }) => end(), { code: 'ECONNECTION' }],
    ['the connection breaks', undefined, ({ reset }) => reset(), { code: 'ECONNECTION' }],
    [
      'a line that goes on is all',
      '250-',
      () => clock.advance(120_001),
      { code: 'ETIMEDOUT', explanation: 'final-timeout' },
    ],
    [
      'nothing comes',
      undefined,
      () => clock.advance(120_001),
      { code: 'ETIMEDOUT', explanation: 'final-timeout' },
    ],
    ['it is no reply', 'what?', nothing, { code: 'EPROTOCOL' }],
  ])('leaves it unknown what became of the email where %s', async (_what, reply, act, expected) => {
    const { mail, told } = await sendTo(reply, act)
    expect(mail.told).toMatchObject({ outcome: 'unknown', retry: 'never', phase: 'final', ...expected })
    expect(told).toEqual(['closed'])
  })

  it('takes no reply that came with the go-ahead, which is from before the body', async () => {
    for (const [reply, expected] of [
      ['250 ok', { code: 'EPROTOCOL', outcome: 'not-sent', retry: 'counted' }],
      ['554 no', { code: 'EMESSAGE', outcome: 'rejected', retry: 'never' }],
      ['421 bye', { code: 'ECONNECTION', outcome: 'deferred', retry: 'counted' }],
    ] as const) {
      const { session, say, heard, told } = setUp()
      const mail = new TestMail('a')
      session.send(mail)
      await say(...GO, reply)
      expect(mail.told).toMatchObject({ ...expected, phase: 'body' })
      expect([heard, told]).toEqual([[ENVELOPE_A], ['closed']])
    }
  })

  it('waits for the rest of a reply that began with the go-ahead', async () => {
    const { session, say, heard, socket } = setUp()
    const mail = new TestMail('a')
    session.send(mail)
    socket.deliver(Buffer.from(`${GO.join('\r\n')}\r\n5`))
    await clock.settle()
    expect([heard, mail.told]).toEqual([[ENVELOPE_A], undefined])
    await say('54 no')
    expect(mail.told).toMatchObject({ outcome: 'rejected', phase: 'body' })
  })

  it.each(['250 stray', '354 stray', '421 bye', '2'])(
    'is the last thing that a session says where %j follows it at once: no further mail is handed to it',
    async (stray) => {
      const { session, say, told, mail } = await sendTo(undefined, nothing)
      await say('250 ok', stray)
      await clock.advance(2_001)
      expect(mail.told).toEqual({ sent: '250 ok' })
      expect([told, session.state]).toEqual([['closed'], 'closed'])
    },
  )
})

describe('a connection that is lost', () => {
  const points: [string, string[]][] = [
    ['MAIL', []],
    ['RCPT', ['250 ok']],
    ['DATA', ['250 ok', '250 ok']],
  ]

  it.each(points)(
    'before the reply to %s is an attempt of the email, on a session that served none before',
    async (command, replies) => {
      const { session, say, end, told } = setUp()
      const mail = new TestMail('a')
      session.send(mail)
      if (replies.length > 0) await say(...replies)
      await end()
      expect(mail.told).toMatchObject({
        code: 'ECONNECTION',
        outcome: 'not-sent',
        retry: 'counted',
        phase: 'envelope',
      })
      expect(mail.results).toMatchObject([
        { error: { command: command === 'DATA' ? 'DATA' : expect.stringContaining(command) } },
      ])
      expect(told).toEqual(['closed'])
    },
  )

  it.each(points)(
    'before the reply to %s is none on a session that served one',
    async (_command, replies) => {
      const { session, say, reset } = setUp()
      const mail = new TestMail('b')
      session.send(new TestMail('a'))
      await say(...GO)
      await say('250 ok')
      session.send(mail)
      if (replies.length > 0) await say(...replies)
      await reset()
      expect(mail.told).toMatchObject({ outcome: 'not-sent', retry: 'uncounted', phase: 'envelope' })
    },
  )

  it.each<[string, boolean, string]>([
    ['that served one before', true, 'uncounted'],
    ['that served none', false, 'counted'],
  ])('with 421 to MAIL says nothing of the email on a session %s', async (_what, served, retry) => {
    const { session, say, sides } = setUp()
    const mail = new TestMail('b')
    if (served) {
      session.send(new TestMail('a'))
      await say(...GO)
      await say('250 ok')
    }
    session.send(mail)
    await say('421 bye', '503 no', '503 no')
    expect(mail.told).toMatchObject({ outcome: 'deferred', retry })
    expect(sides).toEqual(['ended', 'gone'])
  })

  it('is late where the envelope as a whole takes too long', async () => {
    const { session, say, told } = setUp()
    const mail = new TestMail('a')
    session.send(mail)
    await clock.advance(40_000)
    await say('250 ok')
    await clock.advance(20_001)
    expect(mail.told).toMatchObject({
      code: 'ETIMEDOUT',
      outcome: 'not-sent',
      retry: 'counted',
      explanation: 'envelope-timeout',
      message: 'The reply to RCPT TO took more than 60 s',
    })
    expect(told).toEqual(['closed'])
  })

  it.each<[string, string[][], Given]>([
    ['MAIL FROM', [], {}],
    ['RCPT TO', [['250 sender']], {}],
    ['DATA', [['250 sender', '250 recipient']], {}],
    ['DATA', [GO], {}],
    ['MAIL FROM', [], { pipelining: false }],
    ['RCPT TO', [['250 sender']], { pipelining: false }],
    ['DATA', [['250 sender'], ['250 recipient']], { pipelining: false }],
    ['DATA', [['250 sender'], ['250 recipient'], ['354 go on']], { pipelining: false }],
  ])('is late with the command whose reply does not come: %s after %j', async (command, replies, given) => {
    const { session, say } = setUp(given)
    const mail = new TestMail('a')
    session.send(mail)
    for (const lines of replies) await say(...lines)
    await clock.advance(120_001)
    expect(mail.results).toMatchObject([{ error: { code: 'ETIMEDOUT', command, port: 587 } }])
  })

  it('is late with RSET, or the command after it, where those of a group are not answered', async () => {
    for (const [replies, command] of [
      [[], 'RSET'],
      [['250 reset'], 'MAIL FROM'],
    ] as const) {
      const { session, say, waiting } = setUp()
      const next = new TestMail('b')
      waiting.push(next)
      session.send(new TestMail('a'))
      await say(...GO)
      await say('250 ok', ...replies)
      await clock.advance(60_001)
      expect(next.results).toMatchObject([{ error: { code: 'ETIMEDOUT', command } }])
    }
  })
})

describe('a long body', () => {
  const LINES = 5_000
  const text = 'A line of some length, as in a letter.\r\n'.repeat(LINES)

  it('is written in parts, each after the one before has left, and ended with the last', async () => {
    let full = true
    const { session, say, heard, socket, log } = setUp({ accepts: () => !full })
    const mail = new TestMail('a', { content: wholeOf(text) })
    full = false
    session.send(mail)
    full = true
    await say(...GO)
    expect(heard.splice(0).map(({ length }) => length)).toEqual([ENVELOPE_A.length, 65_536])
    expect(mail.phases).toEqual(['envelope', 'body'])
    for (const last of [65_536, 65_536, text.length - 3 * 65_536 + '.\r\n'.length]) {
      expect(mail.phases.at(-1)).toBe('body')
      socket.drained()
      await clock.settle()
      expect(heard.map(({ length }) => length)).toEqual([last])
      if (last === 65_536) heard.length = 0
    }
    expect(heard.join('').endsWith('letter.\r\n.\r\n')).toBe(true)
    expect(mail.phases.at(-1)).toBe('final')
    full = false
    socket.drained()
    await say('250 ok')
    expect(mail.told).toEqual({ sent: '250 ok' })
    expect(log).toContain(`client: (end of the email, ${text.length} bytes)`)
    session.close(true)
  })

  it.each([
    ['554 no', { outcome: 'rejected', retry: 'never', code: 'EMESSAGE' }],
    ['451 later', { outcome: 'deferred', retry: 'counted', code: 'EMESSAGE' }],
    ['421 bye', { outcome: 'deferred', retry: 'counted' }],
    ['250 ok', { outcome: 'not-sent', retry: 'counted', code: 'EPROTOCOL' }],
  ])('is not ended after the reply %s', async (reply, expected) => {
    let full = false
    const { session, say, heard, socket, told } = setUp({ accepts: () => !full })
    const mail = new TestMail('a', { content: wholeOf(text) })
    session.send(mail)
    full = true
    await say(...GO)
    await say(reply)
    full = false
    socket.drained()
    await clock.advance(2_001)
    expect(mail.told).toMatchObject({ ...expected, phase: 'body' })
    expect(heard.join('')).not.toContain('\r\n.\r\n')
    expect(told).toEqual(['closed'])
  })

  it('is given up where a part does not leave in time', async () => {
    let full = false
    const { session, say, heard, socket } = setUp({ accepts: () => !full })
    const mail = new TestMail('a', { content: wholeOf(text) })
    session.send(mail)
    full = true
    await say(...GO)
    await clock.advance(100_000)
    socket.drained()
    await clock.advance(100_000)
    expect(mail.told).toBeUndefined()
    await clock.advance(20_001)
    expect(mail.told).toMatchObject({
      code: 'ETIMEDOUT',
      outcome: 'not-sent',
      phase: 'body',
      retry: 'counted',
    })
    expect(heard.join('')).not.toContain('\r\n.\r\n')
  })
})

describe('a body that is read while it is sent', () => {
  const streamed = (source: () => Readable) => {
    const opened: Readable[] = []
    const open = () => {
      const readable = source()
      opened.push(readable)
      return readable
    }
    return { opened, mail: new TestMail('a', { content: { kind: 'stream', open } }) }
  }

  it('is opened after the go-ahead only, and ended once its last part has left', async () => {
    const { opened, mail } = streamed(() => Readable.from(['Subject: x\n\n', '.one', Buffer.from('\ntwo\n')]))
    let full = false
    const { session, say, heard, socket } = setUp({ accepts: () => !full })
    session.send(mail)
    await say(...GO.slice(0, 2))
    expect(opened).toEqual([])
    full = true
    await say('354 go on')
    expect(opened).toHaveLength(1)
    const parts: string[] = []
    for (let part = 0; part < 3; part++) {
      parts.push(...heard.splice(0))
      expect(mail.phases.at(-1)).toBe('body')
      socket.drained()
      await clock.settle()
    }
    expect([parts.slice(1).join(''), heard]).toEqual(['Subject: x\r\n\r\n..one\r\ntwo', ['\r\n.\r\n']])
    expect(mail.phases.at(-1)).toBe('final')
    full = false
    socket.drained()
    await say('250 ok')
    expect(mail.results).toMatchObject([
      { sent: { messageSize: 'Subject: x\r\n\r\n.one\r\ntwo\r\n'.length } },
    ])
    session.close(true)
  })

  it.each<[string, () => Readable, object]>([
    [
      'fails',
      () =>
        new Readable({
          read() {
            this.destroy(Object.assign(new Error('No such file'), { code: 'ENOENT' }))
          },
        }),
      { code: 'ENOENT', message: 'No such file' },
    ],
    [
      'fails without an error',
      () =>
        new Readable({
          read() {
            this.push('Subject: x\r\n')
            this.emit('error')
          },
        }),
      { code: 'ESTREAM', message: 'a value that is not an error' },
    ],
    [
      'cannot be opened, and throws nothing',
      () => {
        throw undefined as never
      },
      { code: 'ESTREAM', message: 'a value that is not an error' },
    ],
    [
      'ends before its end',
      () =>
        new Readable({
          read() {
            this.destroy()
          },
        }),
      { code: 'ESTREAM', message: 'The content of the email ended prematurely' },
    ],
    ['gives objects', () => Readable.from([{ an: 'object' }]), { code: 'ESTREAM' }],
    [
      'cannot be opened',
      () => {
        throw new Error('No stream')
      },
      { code: 'ESTREAM', message: 'No stream' },
    ],
  ])('was not sent where it %s', async (_what, source, expected) => {
    const { opened, mail } = streamed(source)
    const { session, say, heard, told } = setUp()
    session.send(mail)
    await say(...GO)
    await clock.settle()
    expect(mail.told).toMatchObject({ outcome: 'not-sent', retry: 'never', phase: 'body', ...expected })
    expect(heard.join('')).not.toContain('\r\n.\r\n')
    expect(told).toEqual(['closed'])
    for (const readable of opened) expect(readable.destroyed).toBe(true)
  })

  it('is destroyed where the connection ends before it', async () => {
    const { opened, mail } = streamed(() => new Readable({ read() {} }))
    const { session, say, end } = setUp()
    session.send(mail)
    await say(...GO)
    opened[0]!.push('begun')
    await end()
    expect(mail.told).toMatchObject({ outcome: 'not-sent', retry: 'counted', phase: 'body' })
    expect(opened[0]!.destroyed).toBe(true)
  })

  it('is given up where nothing more comes of it', async () => {
    const { opened, mail } = streamed(() => new Readable({ read() {} }))
    const { session, say } = setUp()
    session.send(mail)
    await say(...GO)
    await clock.advance(100_000)
    opened[0]!.push('more')
    await clock.advance(100_000)
    expect(mail.told).toBeUndefined()
    await clock.advance(20_001)
    expect(mail.told).toMatchObject({ code: 'ETIMEDOUT', outcome: 'not-sent', phase: 'body' })
    expect(opened[0]!.destroyed).toBe(true)
  })
})

describe('the fence', () => {
  it('lets nothing of the end of a body out where it says no', async () => {
    const { session, say, heard, told, waiting } = setUp()
    const mail = new TestMail('a')
    mail.mayFinish = () => false
    waiting.push(new TestMail('b'))
    session.send(mail)
    await say(...GO)
    expect(mail.told).toMatchObject({ code: 'EFENCE', outcome: 'not-sent', retry: 'never' })
    expect([heard, told, waiting.length]).toEqual([[ENVELOPE_A], ['closed'], 1])
  })

  it('is asked once, in the tick of the write that ends the body', async () => {
    const { session, say, heard } = setUp()
    const mail = new TestMail('a')
    const asked: number[] = []
    mail.mayFinish = () => {
      asked.push(heard.length)
      queueMicrotask(() => asked.push(heard.length))
      return true
    }
    session.send(mail)
    expect(asked).toEqual([])
    await say(...GO)
    expect(asked).toEqual([1, 2])
    session.close(true)
  })
})

describe('a group of two emails', () => {
  async function group(given: Given = {}) {
    const set = setUp(given)
    const [first, second] = [new TestMail('a'), new TestMail('b')]
    set.waiting.push(second)
    set.session.send(first)
    await set.say(...GO)
    return { ...set, first, second }
  }
  const GROUP = `I am a\r\n.\r\nRSET\r\n${ENVELOPE_B}`
  const UNCOUNTED = { outcome: 'not-sent', retry: 'uncounted', phase: 'envelope' }

  it('shares a write, led by RSET, and each gets its own replies', async () => {
    const { heard, say, first, second, told, grouped, session } = await group()
    expect(heard).toEqual([ENVELOPE_A, GROUP])
    expect([first.phases.at(-1), second.phases]).toEqual(['final', ['envelope']])
    await say('250 first')
    expect([first.told, told]).toEqual([{ sent: '250 first' }, []])
    await say('250 reset', ...GO)
    expect(heard.at(-1)).toBe('I am b\r\n.\r\n')
    expect(grouped).toEqual([['on', 587, 'a group was fully answered']])
    await say('250 second')
    expect([second.told, told]).toEqual([{ sent: '250 second' }, ['ready']])
    session.close(true)
  })

  it('may be answered in one piece', async () => {
    const { heard, say, first, second, session } = await group()
    await say('250 first', '250 reset', ...GO)
    await say('250 second')
    expect([first.told, second.told]).toEqual([{ sent: '250 first' }, { sent: '250 second' }])
    expect(heard).toHaveLength(3)
    session.close(true)
  })

  it.each<[string, Given]>([
    ['pipelining is for the envelope only', { pipelining: 'envelope' }],
    ['pipelining is off', { pipelining: false }],
    ['the server does not offer PIPELINING', { offers: [] }],
  ])('is not made where %s', async (_what, given) => {
    const { session, say, heard, waiting } = setUp(given)
    waiting.push(new TestMail('b'))
    session.send(new TestMail('a'))
    if (given.pipelining === 'envelope') await say(...GO)
    else for (const reply of GO) await say(reply)
    expect(heard.at(-1)).toBe('I am a\r\n.\r\n')
    expect(waiting).toHaveLength(1)
    session.close(true)
  })

  it('is not made by a session while another one tries, nor after the first anomaly', async () => {
    const { session, say, heard, waiting, grouping } = setUp()
    const other = { port: 587, server: '127.0.0.1:587' }
    grouping.may(other)
    waiting.push(new TestMail('b'))
    session.send(new TestMail('a'))
    await say(...GO)
    expect(heard.at(-1)).toBe('I am a\r\n.\r\n')
    grouping.refused(other, 'for a test')
    await say('250 ok')
    session.send(new TestMail('c'))
    await say(...GO)
    expect(heard.at(-1)).toBe('I am c\r\n.\r\n')
    session.close(true)
  })

  it('lets another session try where no email waits for this one', async () => {
    const { session, say, grouping } = setUp()
    session.send(new TestMail('a'))
    await say(...GO)
    expect(grouping.may({ port: 587, server: '127.0.0.1:587' })).toBe(true)
    session.close(true)
  })

  it.each<[string, string[], string]>([
    ['RSET', ['503 no'], 'RSET was answered with 503'],
    ['MAIL', ['250 reset', '503 no'], 'MAIL was answered with 503'],
    ['MAIL', ['250 reset', '500 what', '250 ok', '354 go on'], 'MAIL was answered with 500'],
    ['DATA', ['250 reset', '250 ok', '250 ok', '503 no'], 'DATA was answered with 503'],
    ['each', ['503 no', '503 no', '503 no', '503 no'], 'RSET was answered with 503'],
  ])(
    'that is refused at %s is given up: the second email goes elsewhere, uncounted, and no group follows',
    async (_at, replies, why) => {
      const { say, first, second, told, grouped, heard, sides } = await group()
      await say('250 first', ...replies)
      expect(first.told).toEqual({ sent: '250 first' })
      expect(second.told).toMatchObject({
        ...UNCOUNTED,
        code: 'EPROTOCOL',
        message: expect.stringContaining(why),
      })
      expect(grouped).toEqual([['off', 587, why]])
      expect([told, heard.length, sides]).toEqual([['closed'], 2, ['gone']])
    },
  )

  it.each(['451 later', '554 too many nonmail commands'])(
    'whose RSET is answered with %s by a server that hangs up goes elsewhere, uncounted, and groups go on',
    async (reply) => {
      const { say, first, second, grouping, grouped, sides } = await group()
      await say('250 first', reply)
      expect(first.told).toEqual({ sent: '250 first' })
      expect(second.told).toMatchObject({ ...UNCOUNTED, message: expect.stringContaining(reply.slice(0, 3)) })
      expect([grouped, sides]).toEqual([[], ['gone']])
      expect(grouping.may({ port: 587, server: '127.0.0.1:587' })).toBe(true)
    },
  )

  it.each<[string, string[], object]>([
    ['its sender', ['550 no', '503 no', '503 no'], { outcome: 'rejected', retry: 'never' }],
    ['its recipient', ['250 ok', '503 no', '503 no'], { outcome: 'rejected', retry: 'never' }],
    ['its recipient, for now', ['250 ok', '450 no', '554 no'], { outcome: 'deferred', retry: 'counted' }],
    ['DATA, for now', ['250 ok', '250 ok', '451 no'], { outcome: 'deferred', retry: 'counted' }],
  ])('was answered as a whole also where the server refuses %s', async (_what, replies, expected) => {
    const { say, second, told, grouped, heard, session } = await group()
    await say('250 first', '250 reset', ...replies)
    expect(second.told).toMatchObject({ ...expected, phase: 'envelope' })
    expect(grouped).toMatchObject([['on', 587, expect.anything()]])
    expect([told, heard.at(-1)]).toEqual([['ready'], 'RSET\r\n'])
    session.close(true)
  })

  it('that is swallowed is given up 2 s after the reply to the body', async () => {
    const { say, first, second, told, grouped } = await group()
    await clock.advance(100_000)
    await say('250 first')
    await clock.advance(1_999)
    expect([first.told, second.told]).toEqual([{ sent: '250 first' }, undefined])
    await clock.advance(2)
    expect(second.told).toMatchObject(UNCOUNTED)
    expect(grouped).toEqual([['off', 587, 'no reply to RSET within 2 s']])
    expect(told).toEqual(['closed'])
  })

  it('has the usual time for its second envelope once RSET was answered', async () => {
    const { say, second, heard, grouped, session } = await group()
    await say('250 first', '250 reset')
    await clock.advance(30_000)
    expect(second.told).toBeUndefined()
    await say(...GO)
    expect([heard.length, grouped.length]).toEqual([3, 1])
    session.close(true)
  })

  it('is late where its second envelope takes longer than that', async () => {
    const { say, second, grouped } = await group()
    await say('250 first', '250 reset')
    await clock.advance(60_001)
    expect(second.told).toMatchObject({ ...UNCOUNTED, message: 'The reply to MAIL FROM took more than 60 s' })
    expect(grouped).toEqual([])
  })

  it('goes on after a body that was refused, without a further RSET', async () => {
    const { say, first, second, heard, session } = await group()
    await say('451 later')
    await say('250 reset', ...GO)
    expect(first.told).toMatchObject({ outcome: 'deferred', retry: 'counted', phase: 'final' })
    expect(heard.slice(2)).toEqual(['I am b\r\n.\r\n'])
    await say('250 second')
    expect(second.told).toEqual({ sent: '250 second' })
    session.close(true)
  })

  it.each<[string, string[], object, object]>([
    ['to the body', ['421 bye', '503 no'], { outcome: 'deferred', retry: 'counted' }, UNCOUNTED],
    ['to RSET', ['250 first', '421 bye', '503 no'], { sent: '250 first' }, { retry: 'uncounted' }],
    [
      'to RCPT',
      ['250 first', '250 reset', '250 ok', '421 bye'],
      { sent: '250 first' },
      { retry: 'uncounted' },
    ],
  ])('ends with 421 %s, after which nothing is read', async (_at, replies, firstTold, secondTold) => {
    const { say, first, second, told, grouped } = await group()
    await say(...replies)
    expect(first.told).toMatchObject(firstTold)
    expect(second.told).toMatchObject(secondTold)
    expect([told, grouped]).toEqual([['closed'], []])
  })

  it('leaves the first email unknown and the second uncounted where the connection is lost before the reply', async () => {
    for (const how of ['end', 'reset'] as const) {
      const set = await group()
      await set[how]()
      expect(set.first.told).toMatchObject({ outcome: 'unknown', retry: 'never', phase: 'final' })
      expect(set.second.told).toMatchObject(UNCOUNTED)
      expect(set.told).toEqual(['closed'])
    }
  })

  it('leaves the first email unknown and the second uncounted where no reply comes', async () => {
    const { first, second } = await group()
    await clock.advance(120_001)
    expect(first.told).toMatchObject({ outcome: 'unknown', explanation: 'final-timeout' })
    expect(second.told).toMatchObject(UNCOUNTED)
  })

  it.each<[string, string[]]>([
    ['RSET', []],
    ['MAIL', ['250 reset']],
    ['RCPT', ['250 reset', '250 ok']],
    ['DATA', ['250 reset', '250 ok', '250 ok']],
  ])(
    'gives the second email back uncounted where the connection is lost before the reply to %s',
    async (_at, replies) => {
      const { first, second, say, reset } = await group()
      await say('250 first', ...replies)
      await reset()
      expect(first.told).toEqual({ sent: '250 first' })
      expect(second.told).toMatchObject(UNCOUNTED)
    },
  )

  it.each<[string, (set: ReturnType<typeof setUp>) => Promise<void>]>([
    ['were lost', ({ reset }) => reset()],
    ['met what is no reply', ({ say }) => say('250 first', '250 reset', '354 to MAIL')],
  ])('is not tried any more after three that %s', async (_what, act) => {
    const grouped: unknown[] = []
    const grouping = new Grouping((...event) => grouped.push(event))
    for (let trial = 1; trial <= 3; trial++) {
      expect(grouped).toEqual([])
      await act(await group({ grouping }))
    }
    expect(grouped).toEqual([['off', 587, 'no group was fully answered']])
    const { session, waiting } = await group({ grouping })
    expect(waiting).toHaveLength(1)
    session.close(true)
  })

  it('is tried again however often callers gave an email of it up', async () => {
    const grouped: unknown[] = []
    const grouping = new Grouping((...event) => grouped.push(event))
    for (let trial = 1; trial <= 4; trial++) {
      const { session, say, second, waiting, told } = await group({ grouping })
      await say('250 first', '250 reset')
      session.cancel(second)
      expect([waiting, told]).toEqual([[], ['closed']])
    }
    expect(grouped).toEqual([])
  })

  it.each<[string, string[], string]>([
    ['destroys the connection at its 354', GO, 'closed'],
    ['uses the session on where it was refused', ['550 no', '503 no', '503 no'], 'ready'],
  ])('with a second email that is given up meanwhile %s', async (_what, replies, state) => {
    const { session, say, first, second, told, heard, grouped } = await group()
    expect(session.cancel(second)).toBe('not-sent')
    expect(session.state).toBe('transaction')
    await say('250 first', '250 reset')
    expect(first.told).toEqual({ sent: '250 first' })
    await say(...replies)
    expect(second.results).toEqual([])
    expect(told).toEqual([state])
    expect(heard.join('')).not.toContain('I am b')
    expect(grouped).toEqual([['on', 587, 'a group was fully answered']])
    session.close(true)
  })

  it('with a second email that is given up once the first is answered is broken off', async () => {
    const { session, say, second, told, heard } = await group()
    await say('250 first', '250 reset')
    expect(session.cancel(second)).toBe('not-sent')
    expect([told, heard.length, second.results]).toEqual([['closed'], 2, []])
  })

  it('whose first email is given up is unknown to its owner, and the second goes on', async () => {
    const { session, say, first, second, heard } = await group()
    expect(session.cancel(first)).toBe('unknown')
    await say('250 first', '250 reset', ...GO)
    await say('250 second')
    expect([first.results, second.told]).toEqual([[], { sent: '250 second' }])
    expect(heard.at(-1)).toBe('I am b\r\n.\r\n')
    session.close(true)
  })
})

describe('giving an email up', () => {
  it('breaks the connection off before the end of the body is out', async () => {
    for (const replies of [[], GO.slice(0, 2)]) {
      const { session, say, told, sides } = setUp()
      const mail = new TestMail('a')
      session.send(mail)
      if (replies.length > 0) await say(...replies)
      expect(session.cancel(mail)).toBe('not-sent')
      expect([mail.results, told, sides]).toEqual([[], ['closed'], ['gone']])
    }
  })

  it('stops the stream of its body', async () => {
    const source = new Readable({ read() {} })
    const mail = new TestMail('a', { content: { kind: 'stream', open: () => source } })
    const { session, say } = setUp()
    session.send(mail)
    await say(...GO)
    expect(session.cancel(mail)).toBe('not-sent')
    expect(source.destroyed).toBe(true)
  })

  it('is too late in the very tick of the write of the end', async () => {
    let asked: string | undefined
    const { session, say, told } = setUp({
      accepts: () => {
        if (session.state === 'transaction' && mail.phases.at(-1) !== 'envelope') asked = session.cancel(mail)
        return true
      },
    })
    const mail = new TestMail('a')
    session.send(mail)
    await say(...GO)
    expect(asked).toBe('unknown')
    await say('250 ok')
    expect([mail.results, told]).toEqual([[], ['ready']])
    session.close(true)
  })

  it('is too late from the write of the end on: the session reads on, and serves the next email', async () => {
    for (const reply of ['250 ok', '554 no']) {
      const { session, say, told } = setUp()
      const mail = new TestMail('a')
      session.send(mail)
      await say(...GO)
      expect(session.cancel(mail)).toBe('unknown')
      expect(session.cancel(mail)).toBe('not-sent')
      await say(reply)
      expect([mail.results, told]).toEqual([[], ['ready']])
      session.close(true)
    }
  })

  it('does nothing for an email that the session has not', () => {
    const { session } = setUp()
    expect(session.cancel(new TestMail('x'))).toBe('not-sent')
    session.send(new TestMail('a'))
    expect(session.cancel(new TestMail('x'))).toBe('not-sent')
    expect(session.state).toBe('transaction')
    session.close(true)
  })
})

describe('a session that idles', () => {
  it('says QUIT after its time, and keeps the process alive only where that is asked for', async () => {
    const { heard, socket, say, end, told, session } = setUp()
    await clock.advance(29_999)
    expect([heard, socket.referenced]).toEqual([[], false])
    await clock.advance(2)
    expect([heard, socket.referenced, session.state]).toEqual([['QUIT\r\n'], false, 'closing'])
    session.hold()
    expect(socket.referenced).toBe(true)
    await say('221 bye')
    await end()
    expect(told).toEqual(['closed'])
  })

  it.each<[string, (set: ReturnType<typeof setUp>) => Promise<void>]>([
    ['the server ends it', ({ end }) => end()],
    ['it breaks', ({ reset }) => reset()],
    ['the server says 421', ({ say }) => say('421 bye')],
    ['the server says what nobody asked for', ({ say }) => say('250 hello')],
  ])('is closed at once where %s', async (_what, act) => {
    const set = setUp()
    await act(set)
    expect([set.told, set.session.state]).toEqual([['closed'], 'closed'])
  })

  it('is closed with QUIT, and by force without', async () => {
    const kind = setUp()
    kind.session.close()
    expect(kind.heard).toEqual(['QUIT\r\n'])
    kind.session.close()
    kind.session.close(true)
    kind.session.close(true)
    const forced = setUp()
    forced.session.close(true)
    expect(forced.heard).toEqual([])
    for (const { told, sides } of [kind, forced]) expect([told, sides]).toEqual([['closed'], ['gone']])
  })

  it('that is closed in the midst of an email is broken off, and the email comes back', async () => {
    const { session, told } = setUp()
    const mail = new TestMail('a')
    session.send(mail)
    session.close()
    expect(mail.told).toMatchObject({ outcome: 'not-sent', retry: 'counted' })
    expect(told).toEqual(['closed'])
  })
})

describe('whole emails that follow one another', () => {
  const OFFERS = ['PIPELINING', 'CHUNKING']
  const known = () => {
    const chunking = new Chunking(() => {})
    const server = { server: '127.0.0.1:587', port: 587 }
    chunking.mayProbe(server)
    chunking.probed(server)
    chunking.mayTry(server)
    chunking.answered(server)
    return chunking
  }
  const whole = (name: string, n: number) =>
    `RSET\r\nMAIL FROM:<${name}@x.org>\r\nRCPT TO:<${name}-to@x.org>\r\nBDAT ${n} LAST\r\nI am ${name}\r\n`
  const FINE = ['250 reset', '250 sender', '250 recipient']

  /** An email that was answered 354, and others that wait. */
  async function begin(names: string, given: Given = {}) {
    const set = setUp({ offers: OFFERS, chunking: known(), ...given })
    const first = new TestMail('a')
    const others = [...names].map((name) => new TestMail(name))
    set.session.send(first)
    set.waiting.push(...others)
    set.heard.length = 0
    return { ...set, first, others }
  }

  it('follow an email only once the server has shown with 354 that it is there', async () => {
    const { say, heard, session } = await begin('bc')
    session.offer()
    expect(heard).toEqual([])
    await say(...GO)
    expect(heard).toEqual([`I am a\r\n.\r\n${whole('b', 8)}`, whole('c', 8)])
    session.close(true)
  })

  it('follow only as long as the server was heard a second ago: else it may be gone', async () => {
    const { say, heard, session, waiting } = await begin('')
    await say(...GO)
    await clock.advance(900)
    waiting.push(new TestMail('b'))
    session.offer()
    expect(heard).toEqual(['I am a\r\n.\r\n', whole('b', 8)])
    await clock.advance(200)
    waiting.push(new TestMail('c'))
    session.offer()
    expect(heard).toHaveLength(2)
    await say('250 a')
    expect(heard.at(-1)).toBe(whole('c', 8))
    session.close(true)
  })

  it('are no more than four in flight, and ten of a batch', async () => {
    const { say, heard, session, others, waiting } = await begin('bcdefghijklm')
    await say(...GO)
    expect([heard.length, waiting.length]).toEqual([3, 9])
    for (const mail of others) mail.isOfBatch = true
    session.offer()
    expect([heard.length, waiting.length]).toEqual([9, 3])
    await say('250 first')
    expect(waiting).toHaveLength(2)
    session.close(true)
    expect(others.map(({ told }) => told && 'outcome' in told && told.outcome)).toEqual([
      ...Array(10).fill('unknown'),
      undefined,
      undefined,
    ])
  })

  it.each([
    ['in a row', [], [9, 8, 7, 6, 5, 4]],
    ['in all, for one that counts so', ['HELP'], [9, 8, 7, 6, 5, 4]],
  ])(
    'are so many fewer as a server has refused %s, since it hangs up at some',
    async (_, offers, expected) => {
      const { say, waiting, others, session, told } = await begin('bcdefghijklmnopqrstu', {
        offers: [...OFFERS, ...offers],
      })
      for (const mail of others) mail.isOfBatch = true
      await say(...GO)
      await say('250 first')
      const inFlight: number[] = []
      const refuse = async (times: number) => {
        for (let refused = 0; refused < times; refused++) {
          await say('250 reset', '250 sender', '550 no', '503 no')
          inFlight.push(others.filter((mail) => !mail.told).length - waiting.length)
        }
      }
      await refuse(6)
      expect(inFlight).toEqual(expected)
      expect(session.isWorn).toBe(false)
      await say(...FINE, '250 taken')
      await refuse(1)
      expect([session.isWorn, inFlight.at(-1)]).toEqual(offers.length > 0 ? [true, 3] : [false, 9])
      expect(told).toEqual([])
      session.close(true)
    },
  )

  it('are so many fewer as a server has refused bodies or recipients in a row', async () => {
    const { say, waiting, others, session } = await begin('bcdefghijklmnopqrstu')
    for (const mail of others) mail.isOfBatch = true
    await say(...GO)
    await say('250 first')
    const inFlight: number[] = []
    for (let refused = 0; refused < 12; refused++) {
      await say(...FINE, '552 no')
      inFlight.push(others.filter((mail) => !mail.told).length - waiting.length)
    }
    expect(inFlight).toEqual([9, 9, 8, 8, 7, 7, 6, 6, 5, 5, 4, 4])
    expect(session.isWorn).toBe(false)
    await say(...FINE, '552 no')
    expect(session.isWorn).toBe(true)
    await say(...FINE, '250 taken')
    expect(session.isWorn).toBe(false)
    session.close(true)
  })

  it('have no more than twenty commands in flight that may be refused', async () => {
    const { say, waiting, session, first } = await begin('')
    const ofMany = (count: number) => Array.from({ length: count }, (_, index) => `r${index}@x.org`)
    for (const count of [8, 8, 1, 9]) {
      const mail = new TestMail(`m${waiting.length}`, { to: ofMany(count) })
      mail.isOfBatch = true
      waiting.push(mail)
    }
    await say(...GO)
    // One for the body of the first email, and nine for each of these.
    expect(waiting).toHaveLength(2)
    await say('552 no')
    expect([first.told, waiting.length]).toMatchObject([{ outcome: 'rejected' }, 2])
    await say('250 reset', '250 sender', ...Array(8).fill('250 recipient'), '250 taken')
    expect(waiting).toHaveLength(1)
    waiting[0] = new TestMail('m4', { to: ofMany(20) })
    await say('250 reset', '250 sender', ...Array(8).fill('250 recipient'), '250 taken')
    expect(waiting).toHaveLength(1)
    session.close(true)
  })

  it('have 256 kB in flight, and none of them more than 64 kB', async () => {
    const { say, waiting, session } = await begin('')
    const sizes = [60_000, 60_000, 60_000, 60_000, 60_000, 100]
    for (const [index, bytes] of sizes.entries()) {
      const mail = new TestMail(`m${index}`, { content: wholeOf('x'.repeat(bytes)) })
      mail.isOfBatch = true
      waiting.push(mail)
    }
    await say(...GO)
    expect(waiting).toHaveLength(2)
    waiting.unshift(new TestMail('large', { content: wholeOf('x'.repeat(65_536)) }))
    await say('250 first', ...FINE, '250 m0')
    expect(waiting).toHaveLength(3)
    session.close(true)
  })

  it('wait while what was written before has not left', async () => {
    let isOpen = false
    const { say, waiting, socket, session } = await begin('bc', { accepts: () => isOpen })
    isOpen = true
    socket.drained()
    const large = new TestMail('b', { content: wholeOf('x'.repeat(60_000)) })
    waiting.splice(0, 2, large, new TestMail('c'))
    await say(GO[0]!, GO[1]!)
    isOpen = false
    await say(GO[2]!)
    expect(waiting).toHaveLength(1)
    isOpen = true
    socket.drained()
    await clock.settle()
    expect(waiting).toHaveLength(0)
    session.close(true)
  })

  it('are written only where their fence says yes in the tick of the write', async () => {
    const { say, heard, others, session } = await begin('bcd')
    others[1]!.mayFinish = () => false
    await say(...GO)
    expect(heard.join('')).toBe(`I am a\r\n.\r\n${whole('b', 8)}${whole('d', 8)}`)
    expect(others[1]!.told).toMatchObject({ code: 'EFENCE', outcome: 'not-sent', retry: 'never' })
    await say('250 a', ...FINE, '250 b', ...FINE, '250 d')
    expect([others[0]!.told, others[2]!.told]).toEqual([{ sent: '250 b' }, { sent: '250 d' }])
    session.close(true)
  })

  it('are in doubt from their write on: one that is given up is unknown, and the others are read on', async () => {
    const { say, others, session, told } = await begin('bc')
    await say(...GO)
    expect(session.cancel(others[0]!)).toBe('unknown')
    await say('250 a', ...FINE, '250 b', ...FINE, '250 c')
    expect([others[0]!.results, others[1]!.told, told]).toEqual([[], { sent: '250 c' }, ['ready']])
    session.close(true)
  })

  it('report what became of each in the words of its own replies', async () => {
    const { say, others, session } = await begin('bcd')
    await say(...GO)
    await say('250 a', '250 reset', '550 no sender', '503 no', '503 no')
    await say('250 reset', '250 ok', '450 later', '503 no', ...FINE, '552 too large')
    expect(others.map(({ told }) => told)).toMatchObject([
      {
        outcome: 'rejected',
        code: 'EENVELOPE',
        phase: 'envelope',
        message: 'The sender was refused: 550 no sender',
      },
      { outcome: 'deferred', code: 'EENVELOPE', phase: 'envelope', retry: 'counted' },
      {
        outcome: 'rejected',
        code: 'EMESSAGE',
        phase: 'final',
        message: 'The server refused the email: 552 too large',
      },
    ])
    session.close(true)
  })

  it('take the name of no other command: what a server says of them is about BDAT', async () => {
    const { say, others } = await begin('b')
    await say(...GO)
    await say('250 a', ...FINE, '503 what')
    expect(others[0]!.results).toMatchObject([
      { error: { command: 'BDAT', outcome: 'not-sent', code: 'EPROTOCOL' }, retry: 'uncounted' },
    ])
  })
})
