import { createTransport } from 'nodemailer'
import { describe, expect, it } from 'vitest'
import { createScriptedServer, type ScriptedServerOptions } from './scripted-server.js'
import type { StepFault } from './step-fault.js'
import { installVirtualClock } from './virtual-clock.js'

/** A client with no SMTP of its own, on a driven clock. */
async function setUp(options: ScriptedServerOptions = {}) {
  const clock = installVirtualClock()
  const server = createScriptedServer(clock, options)
  const heard: string[] = []
  const ends: string[] = []
  const socket = await open()
  expect(heard.splice(0)).toEqual(['220 scripted ESMTP\r\n'])
  const say = async (...lines: string[]) => {
    socket.write(lines.map((line) => `${line}\r\n`).join(''))
    await clock.advance(10)
    return heard.splice(0).join('')
  }
  return { clock, server, socket, heard, ends, say, [Symbol.dispose]: clock.uninstall }

  async function open() {
    const opening = new Promise<ReturnType<typeof server.openSockets>[number]>((resolve, reject) => {
      server.getSocket({}, (error) => (error ? reject(error) : resolve(server.openSockets()[0]!)))
    })
    await clock.advance(1)
    const opened = await opening
    opened.on('data', (chunk: Buffer) => heard.push(String(chunk)))
    opened.on('end', () => ends.push('end')).on('error', (error) => ends.push(error.message))
    await clock.advance(10)
    return opened
  }
}

const LOGIN = ['AUTH CRAM-MD5', btoa('someone 00')]
const ENVELOPE = ['MAIL FROM:<a@x.org>', 'RCPT TO:<b@x.org>', 'DATA']

it('takes an email of plain Nodemailer, with its pool, and lets no socket and no timer stay', async () => {
  using clock = installVirtualClock()
  const server = createScriptedServer(clock)
  const { getSocket } = server
  const auth = { user: 'someone', pass: 'secret' }
  const transport = createTransport({
    pool: true,
    host: '127.0.0.1',
    ignoreTLS: true,
    getSocket,
    auth,
  } as object)
  const sent = [1, 2].map((n) =>
    transport.sendMail({ from: 'a@x.org', to: ['b@x.org', 'c@x.org'], subject: `Mail ${n}`, text: '.\n..' }),
  )
  await clock.advance(1000)
  await Promise.all(sent)
  transport.close()
  await clock.advance(1000)
  expect(server.taken.map(({ from, to, user }) => [from, to, user])).toEqual([
    ['a@x.org', ['b@x.org', 'c@x.org'], 'someone'],
    ['a@x.org', ['b@x.org', 'c@x.org'], 'someone'],
  ])
  expect(server.taken[0]?.raw.toString()).toMatch(/^From: a@x\.org\r\n[\s\S]*\r\n\r\n\.\r\n\.\.\r\n$/)
  expect(server.violations).toEqual([])
  expect(server.openSockets()).toEqual([])
  expect(clock.pending()).toEqual([])
})

it('hears in the tick of the write, and is heard later', async () => {
  using set = await setUp()
  await set.say('EHLO me')
  for (const line of LOGIN) await set.say(line)
  await set.say(...ENVELOPE)
  set.socket.write('Subject: x\r\n\r\n..\r\n.\r\n')
  set.socket.destroy()
  expect(set.server.taken).toHaveLength(1)
  expect(String(set.server.taken[0]?.raw)).toBe('Subject: x\r\n\r\n.\r\n')
  expect(set.heard).toEqual([])
  expect(set.server.openSockets()).toEqual([])
})

it('answers a group, and refuses what is out of order', async () => {
  using set = await setUp()
  await set.say('EHLO me')
  expect(await set.say(...ENVELOPE)).toBe(
    '530 5.7.0 Error: authentication required\r\n503 5.5.1 Error: bad sequence of commands\r\n'.concat(
      '503 5.5.1 Error: bad sequence of commands\r\n',
    ),
  )
  for (const line of LOGIN) await set.say(line)
  await set.say(...ENVELOPE)
  expect(await set.say('Subject: x', '', 'Hello', '.', 'RSET', ...ENVELOPE)).toMatch(
    /^250 2.0.0 .*\r\n250 2.0.0 .*\r\n250 .*\r\n250 .*\r\n354 .*\r\n$/,
  )
  expect(set.server.violations).toEqual([])
})

it.each([
  ['refused', '250 2.0.0 Ok: queued\r\n503 5.5.1 Error: bad sequence of commands\r\n'],
  ['swallowed', '250 2.0.0 Ok: queued\r\n'],
] as const)('takes commands behind a body as %s', async (afterBody, reply) => {
  using set = await setUp({ afterBody })
  await set.say('EHLO me')
  for (const line of LOGIN) await set.say(line)
  await set.say(...ENVELOPE)
  expect(await set.say('Hello', '.', 'RSET')).toBe(reply)
})

it('keeps the envelope of a refused body, as Postfix does, until RSET', async () => {
  const faults: StepFault[] = [{ step: 'dot', say: 451 }]
  using set = await setUp({
    keepsEnvelope: true,
    script: ({ step }) => (step === 'dot' ? faults.shift() : undefined),
  })
  await set.say('EHLO me')
  for (const line of LOGIN) await set.say(line)
  await set.say(...ENVELOPE)
  expect(await set.say('One', '.')).toBe('451 by the script\r\n')
  expect(await set.say('MAIL FROM:<other@x.org>')).toMatch(/^503/)
  await set.say('DATA')
  await set.say('Two', '.')
  expect(set.server.taken.map(({ from, raw }) => [from, String(raw)])).toEqual([['a@x.org', 'Two\r\n']])
})

it.each<[Partial<StepFault>, string, string[]]>([
  [{ say: 451 }, '451 by the script\r\n', []],
  [{ say: 'nothing', next: 'end' }, '', ['end']],
  [{ say: 'half', next: 'reset' }, '250-scripted\r\n250-PIPELINING\r\n250-AUTH CR', ['read ECONNRESET']],
  [{ say: { bytes: '250-' } }, '250-', []],
  [{ say: 250, extra: '421 bye\r\n', next: 'end' }, '250 by the script\r\n421 bye\r\n', ['end']],
])('says %j in place of the reply to EHLO', async (fault, reply, ends) => {
  using set = await setUp({ script: ({ step }) => (step === 'ehlo' ? { step, ...fault } : undefined) })
  expect(await set.say('EHLO me')).toBe(reply)
  expect(set.ends).toEqual(ends)
})

it('answers late, ends an idle connection, and resets who writes to one that it has ended', async () => {
  const script = ({ step }: { step: string }): StepFault | undefined =>
    step === 'ehlo' ? { step, waitMs: 500, next: 'end', nextMs: 2000 } : undefined
  using set = await setUp({ script })
  expect(await set.say('EHLO me')).toBe('')
  await set.clock.advance(492)
  expect(set.heard.splice(0).join('')).toMatch(/^250-scripted/)
  await set.clock.advance(1990)
  set.socket.write('RSET\r\n')
  await set.clock.advance(10)
  expect(set.ends).toEqual(['end'])
  expect(set.socket.destroyed).toBe(true)
})

it('shuts its side and takes the email all the same, without a word', async () => {
  using set = await setUp({ script: ({ step }) => (step === 'data' ? { step, next: 'shut' } : undefined) })
  await set.say('EHLO me')
  for (const line of LOGIN) await set.say(line)
  expect(await set.say(...ENVELOPE, 'Hello', '.')).toMatch(/354 .*\r\n$/)
  expect(set.ends).toEqual(['end'])
  expect(set.server.taken.map(({ raw }) => String(raw))).toEqual(['Hello\r\n'])
})

it('takes no more than a window while it reads nothing', async () => {
  using set = await setUp({
    script: ({ step }) => (step === 'ehlo' ? { step, say: 'nothing', next: 'stall' } : undefined),
  })
  await set.say('EHLO me')
  let written = 0
  for (let n = 0; n < 4; n++) set.socket.write(Buffer.alloc(40_000), () => written++)
  await set.clock.advance(10)
  expect([written, set.socket.bytesWritten]).toEqual([1, 80_009])
})

describe('a server that offers CHUNKING', () => {
  const [MAIL, RCPT] = ENVELOPE as [string, string]

  it('takes whole emails that follow one another, in chunks, as they are', async () => {
    using set = await setUp({ chunking: true })
    expect(await set.say('EHLO me')).toContain('250-CHUNKING\r\n')
    for (const line of LOGIN) await set.say(line)
    const first = [MAIL, RCPT, 'BDAT 4', '..', 'BDAT 6 LAST', '.', 'x']
    const second = ['RSET', MAIL, RCPT, 'BDAT 6 LAST', 'RSET']
    expect(await set.say(...first, ...second)).toMatch(
      /^250 .*\r\n250 .*\r\n250 .* 4 bytes\r\n250 .*queued\r\n250 .*\r\n250 .*\r\n250 .*\r\n250 .*queued\r\n$/,
    )
    expect(set.server.taken.map(({ raw }) => String(raw))).toEqual(['..\r\n.\r\nx\r\n', 'RSET\r\n'])
    expect(set.server.violations).toEqual([])
  })

  it('reads a chunk without an envelope, and refuses it', async () => {
    using set = await setUp({ chunking: true })
    await set.say('EHLO me')
    for (const line of LOGIN) await set.say(line)
    expect(await set.say('BDAT 6 LAST', 'RSET', 'RSET')).toBe(
      '503 5.5.1 Error: bad sequence of commands\r\n250 2.0.0 Ok\r\n',
    )
    expect(set.server.taken).toEqual([])
  })

  it('keeps the envelope of a chunk that was refused, until RSET', async () => {
    const faults: StepFault[] = [{ step: 'bdat', say: 451 }]
    const script = ({ step }: { step: string }) => (step === 'bdat' ? faults.shift() : undefined)
    using set = await setUp({ chunking: true, keepsEnvelope: true, script })
    await set.say('EHLO me')
    for (const line of LOGIN) await set.say(line)
    expect(await set.say(MAIL, RCPT, 'BDAT 5 LAST', 'One', MAIL)).toMatch(/451 by the script\r\n503 .*\r\n$/)
    await set.say('BDAT 5 LAST', 'Two')
    expect(set.server.taken.map(({ raw }) => String(raw))).toEqual(['Two\r\n'])
  })

  it('may not know BDAT, and take what follows for commands', async () => {
    using set = await setUp({ chunking: 'misread' })
    await set.say('EHLO me')
    for (const line of LOGIN) await set.say(line)
    expect(await set.say('BDAT 6 LAST', 'RSET')).toBe(
      '503 5.5.1 Error: bad sequence of commands\r\n250 2.0.0 Ok\r\n',
    )
  })
})

it('notes what no client may do', async () => {
  using set = await setUp({ pipelining: false })
  await set.say('EHLO me', 'AUTH CRAM-MD5')
  await set.say(LOGIN[1]!)
  await set.say('NOOP')
  set.socket.write('RSE\n')
  expect(set.server.violations).toEqual([
    'connection 0: AUTH CRAM-MD5 before the reply to EHLO',
    'connection 0: an unknown command: NOOP',
    'connection 0: RSE ends in a bare LF',
    expect.stringContaining('unknown command'),
  ])
})
