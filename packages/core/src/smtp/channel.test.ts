import { PassThrough } from 'node:stream'
import { installVirtualClock, MemorySocket } from '@postmark-smtp/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createRedactor } from '../problems/redact.js'
import { Channel } from './channel.js'
import type { ChannelEnd } from './channel-owner.js'
import type { Reply } from './reply-reader.js'
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

const SECRET = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'

function setUp({ logger = false as object | boolean, accepts = true } = {}) {
  const heard: string[] = []
  const sides: string[] = []
  const socket = new MemorySocket({
    heard: (bytes) => {
      heard.push(String(bytes))
      return accepts
    },
    ended: () => sides.push('ended'),
    gone: () => sides.push('gone'),
  })
  const redactor = createRedactor()
  redactor.add(SECRET)
  const ends: ChannelEnd[] = []
  const unasked: string[] = []
  const owner = {
    onEnd: (end: ChannelEnd) => void ends.push(end),
    onUnasked: ({ response }: Reply) => void unasked.push(response),
  }
  const channel = new Channel(socket, owner, createSmtpLog(logger, redactor))
  const replies: string[] = []
  const expectReply = (name: string, act = () => {}) =>
    channel.expect({
      onReply: ({ response }) => {
        replies.push(`${name}: ${response}`)
        act()
      },
    })
  const say = async (text: string) => {
    socket.deliver(Buffer.from(text))
    await clock.settle()
  }
  return { socket, channel, owner, ends, unasked, replies, expectReply, heard, sides, say }
}

it('gives each reply to the command that waits for it, in the order of the commands', async () => {
  const { channel, expectReply, replies, say, socket, ends } = setUp()
  for (const name of ['MAIL', 'RCPT', 'DATA']) expectReply(name)
  await say('250 a\r\n250-b\r\n250 c\r\n35')
  expect(channel.hasRest).toBe(true)
  await say('4 d\r\n')
  expect(replies).toEqual(['MAIL: 250 a', 'RCPT: 250-b\n250 c', 'DATA: 354 d'])
  expect([channel.hasRest, socket.destroyed, ends]).toEqual([false, false, []])
  socket.destroy()
  await clock.settle()
})

it('ends with a reply that no command waits for, and reads nothing after it', async () => {
  const { expectReply, replies, say, socket, ends, unasked } = setUp()
  expectReply('MAIL')
  await say('250 a\r\n250 stray\r\n250 more\r\n')
  expect(replies).toEqual(['MAIL: 250 a'])
  expect(unasked).toEqual(['250 stray'])
  expect(ends).toEqual([{ kind: 'protocol', what: 'the reply 250, which no command waits for' }])
  expect(socket.destroyed).toBe(true)
})

it('ends with bytes that are no reply', async () => {
  const { say, ends, socket } = setUp()
  await say('HTTP/1.1 400 Bad Request\r\n\r\n')
  expect(ends).toEqual([{ kind: 'protocol', what: 'the line "HTTP/1.1 400 Bad Request"' }])
  expect(socket.destroyed).toBe(true)
})

it('quotes no secret of a line that is no reply', async () => {
  const { say, ends } = setUp()
  await say(`what is ${SECRET}?\r\n`)
  expect(ends).toEqual([{ kind: 'protocol', what: 'the line "what is [redacted]?"' }])
})

it.each([
  ['asked for', true],
  ['not asked for', false],
])('ends with a 421 that was %s, and reads nothing after it', async (_what, asked) => {
  const { say, ends, expectReply, replies, unasked, sides, socket } = setUp()
  if (asked) for (const name of ['MAIL', 'RCPT']) expectReply(name)
  await say('421 bye\r\n503 no\r\n')
  expect([replies, unasked]).toEqual(asked ? [['MAIL: 421 bye'], []] : [[], ['421 bye']])
  expect(ends).toMatchObject([{ kind: 'goodbye', reply: { response: '421 bye' } }])
  expect(sides).toEqual(['ended', 'gone'])
  expect(socket.destroyed).toBe(true)
})

it('ends its own side where the server has ended, and where it was broken says why', async () => {
  const ended = setUp()
  ended.expectReply('MAIL')
  ended.socket.deliverEnd()
  await clock.settle()
  expect(ended.ends).toEqual([{ kind: 'lost', cause: undefined }])
  expect(ended.sides).toEqual(['ended', 'gone'])

  const broken = setUp()
  const cause = new Error('read ECONNRESET')
  broken.socket.destroy(cause)
  await clock.settle()
  expect(broken.ends).toEqual([{ kind: 'lost', cause }])
})

it('does not wait long for the end of a socket that does not take ours', async () => {
  const { say, socket, sides, channel, ends } = setUp({ accepts: false })
  channel.write('x')
  await say('421 bye\r\n')
  expect(ends).toHaveLength(1)
  expect([sides, socket.destroyed]).toEqual([[], false])
  await clock.advance(2_000)
  expect([sides, socket.destroyed]).toEqual([['gone'], true])
})

it('reads and writes nothing once it is destroyed, and calls nobody', async () => {
  const { channel, say, socket, heard, expectReply, replies, ends } = setUp()
  let closed = 0
  let written = 0
  channel.onClosed = () => closed++
  expectReply('MAIL')
  channel.limit(1_000)
  channel.write('MAIL\r\n', () => written++)
  await clock.settle()
  channel.destroy()
  channel.destroy()
  channel.write('RCPT\r\n', () => written++)
  await say('250 ok\r\n')
  socket.emit('error', new Error('late'))
  expect([heard, replies, ends, closed, written]).toEqual([['MAIL\r\n'], [], [], 1, 1])
})

it('is lost where the socket throws at a write, and calls nobody in the midst of another reply', async () => {
  const { channel, socket, ends, expectReply, replies } = setUp()
  const cause = new Error('The tunnel is gone')
  socket.write = () => {
    throw cause
  }
  let written = 0
  channel.ask('MAIL\r\n', { onReply: () => replies.push('MAIL') })
  expectReply('RCPT')
  channel.write('RCPT\r\n', () => written++)
  channel.quit()
  await clock.advance(5_000)
  expect([ends, replies, written, socket.destroyed]).toEqual([[{ kind: 'lost', cause }], [], 0, true])
})

it('calls back for what was written only as long as it is open', async () => {
  const { channel, socket } = setUp({ accepts: false })
  let written = 0
  channel.write('part', () => written++)
  channel.destroy()
  socket.drained()
  await clock.settle()
  expect(written).toBe(0)
})

it('stops what reads a body for it when the connection ends', async () => {
  const { channel, socket } = setUp()
  let closed = 0
  channel.onClosed = () => closed++
  socket.deliverEnd()
  await clock.settle()
  expect(closed).toBe(1)
})

it('is late when a limit is over, which a byte now and then does not move', async () => {
  const { channel, say, ends, socket, expectReply } = setUp()
  expectReply('EHLO')
  channel.limit(1_000)
  await clock.advance(600)
  await say('2')
  await clock.advance(399)
  expect(ends).toEqual([])
  await clock.advance(2)
  expect(ends).toEqual([{ kind: 'late' }])
  expect(socket.destroyed).toBe(true)
})

it('keeps to the newest limit, a longer and a shorter one, with one timer', async () => {
  const { channel, ends } = setUp()
  channel.limit(1_000)
  await clock.advance(900)
  channel.limit(1_000)
  expect(clock.pending()).toHaveLength(1)
  await clock.advance(900)
  expect(ends).toEqual([])
  channel.limit(60_000)
  channel.limit(10)
  expect(clock.pending()).toHaveLength(1)
  await clock.advance(11)
  expect(ends).toEqual([{ kind: 'late' }])
})

it('has no limit after unlimit, until the next one', async () => {
  const { channel, ends } = setUp()
  channel.limit(1_000)
  channel.unlimit()
  await clock.advance(5_000)
  expect(ends).toEqual([])
  channel.limit(1_000)
  await clock.advance(1_001)
  expect(ends).toEqual([{ kind: 'late' }])
})

it('goes on after a limit that its owner deals with', async () => {
  const { channel, owner, ends } = setUp()
  let limits = 0
  Object.assign(owner, { onLimit: () => ++limits === 1 })
  channel.limit(100)
  await clock.advance(500)
  expect([limits, ends]).toEqual([1, []])
  channel.limit(100)
  await clock.advance(500)
  expect([limits, ends]).toEqual([2, [{ kind: 'late' }]])
})

it('keeps the process alive with socket and timer, or with neither', async () => {
  const { channel, socket } = setUp()
  channel.limit(1_000)
  const referenced = () => [socket.referenced, clock.pending()[0]?.referenced]
  expect(referenced()).toEqual([true, true])
  channel.hold(false)
  expect(referenced()).toEqual([false, false])
  channel.limit(10)
  expect(referenced()).toEqual([false, false])
  channel.hold(true)
  expect(referenced()).toEqual([true, true])
  channel.destroy()
})

it('says QUIT once, ends its side with the reply to it, and waits for the end of the other one', async () => {
  const { channel, heard, say, sides, ends, socket } = setUp()
  channel.quit()
  channel.quit()
  expect(heard).toEqual(['QUIT\r\n'])
  expect(sides).toEqual([])
  await say('221 bye\r\n')
  expect([sides, ends]).toEqual([['ended'], []])
  socket.deliverEnd()
  await clock.settle()
  expect(sides).toEqual(['ended', 'gone'])
  expect(ends).toEqual([{ kind: 'lost', cause: undefined }])
})

it.each([
  ['the reply to QUIT', ''],
  ['the end after that reply', '221 bye\r\n'],
])('waits 2 s for %s', async (_what, reply) => {
  const { channel, ends, socket, say } = setUp()
  channel.quit()
  if (reply !== '') await say(reply)
  await clock.advance(1_999)
  expect(ends).toEqual([])
  await clock.advance(2)
  expect(ends).toEqual([{ kind: 'late' }])
  expect(socket.destroyed).toBe(true)
})

it('ends after QUIT where other replies are still awaited, in their order', async () => {
  const { channel, expectReply, replies, say, sides } = setUp()
  expectReply('RSET')
  channel.quit()
  await say('250 reset\r\n')
  expect([replies, sides]).toEqual([['RSET: 250 reset'], []])
  await say('221 bye\r\n')
  expect(sides).toEqual(['ended'])
  channel.destroy()
})

it('forgets with another socket what was awaited and received before', async () => {
  const { channel, socket, expectReply, replies, say, heard } = setUp()
  expectReply('STARTTLS')
  await say('2')
  expect(channel.release()).toBe(socket)
  await say('50 in clear\r\n')
  const secured = new PassThrough()
  channel.replaceSocket(secured)
  expect(channel.hasRest).toBe(false)
  expectReply('EHLO')
  secured.push('250 in TLS\r\n')
  await clock.settle()
  expect(replies).toEqual(['EHLO: 250 in TLS'])
  channel.write('x')
  expect(heard).toEqual([])
  // The socket of before must not take the process along.
  socket.destroy(new Error('reset'))
  await clock.settle()
  channel.destroy()
})

it('goes on with a logger that throws or rejects, and hands it no secret', async () => {
  const entries: unknown[] = []
  const logger = {
    debug: (...entry: unknown[]) => {
      entries.push(entry)
      if (entries.length % 2 === 0) throw new Error('The logger failed')
      return Promise.reject(new Error('The logger failed later'))
    },
  }
  const { channel, expectReply, replies, say } = setUp({ logger })
  expectReply('AUTH', () => channel.log.client(`AUTH PLAIN ${btoa(`\0${SECRET}\0${SECRET}`)}`))
  await say(`535 ${SECRET.toUpperCase()} is wrong\r\n`)
  expect(replies).toEqual(['AUTH: 535 [redacted] is wrong'])
  expect(entries).toMatchObject([
    [{ component: 'postmark-smtp', tnx: 'server' }, '535 [redacted] is wrong'],
    [{ tnx: 'client' }, 'AUTH PLAIN [redacted]'],
  ])
  channel.destroy()
})

it('logs to standard output where the logger is true', async () => {
  const { write } = process.stdout
  const lines: string[] = []
  process.stdout.write = (line: string | Uint8Array) => lines.push(String(line)) > 0
  try {
    const { channel, say, expectReply } = setUp({ logger: true })
    channel.log.client('EHLO me')
    channel.log.info('a note')
    expectReply('EHLO')
    await say('250 ok\r\n')
    channel.destroy()
  } finally {
    process.stdout.write = write
  }
  expect(lines).toHaveLength(3)
  expect(lines[0]).toMatch(/^\[[\dT:.Z-]+\] DEBUG \[postmark-\d+\] C: EHLO me\n$/)
  expect(lines[1]).toMatch(/INFO {2}\[postmark-\d+\] a note\n$/)
  expect(lines[2]).toMatch(/S: 250 ok\n$/)
})
