import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { memoryInUse, size } from '@postmark-smtp/testing'
import { createTransport } from 'nodemailer'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../sandbox.js'
import { createRandom } from './faults/random.js'
import { seededFaults } from './faults/seeded-faults.js'

/** A failing run is run again with its seed in the place of the clock. */
const SEED = Date.now() % 1_000_000
const CLIENTS_AT_ONCE = 20
/**
 * As many as there were when the server took 100 ms to greet each. About 1 kB of every client stays, whoever holds it:
 * the bound on memory below is for faults that hold more.
 */
const MOST_CLIENTS = 8_000
const TOKEN = '4a1a3ab5-5a4d-4b0c-8d0c-000000000001'
const PLAIN = `AUTH PLAIN ${btoa(`\0${TOKEN}\0${TOKEN}`)}`

type Random = () => number
const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)]!
const upTo = (random: Random, most: number) => Math.floor(random() * (most + 1))

const COMMANDS = [
  ...['EHLO me', 'HELO me', 'LHLO me', PLAIN, 'AUTH PLAIN', 'AUTH LOGIN', 'AUTH CRAM-MD5', 'AUTH NONE', '='],
  ...[
    'MAIL FROM:<a@x.org>',
    'MAIL FROM:<>',
    'MAIL FROM:<a@x.org> SIZE=99999999999 BODY=8BITMIME',
    'MAIL FROM:',
  ],
  ...['RCPT TO:<b@x.org>', 'RCPT TO:<"b\\"b"@[127.0.0.1]>', 'RCPT TO:<b@x.org> NOTIFY=NEVER', 'RCPT TO:<@@>'],
  ...['DATA', 'BDAT 10 LAST', '.', 'RSET', 'NOOP', 'VRFY b', 'EXPN b', 'HELP', 'ETRN #x', 'STARTTLS', 'QUIT'],
  ...[
    'XCLIENT NAME=x',
    'XFORWARD NAME=x',
    'WIZ',
    'GET / HTTP/1.1',
    '',
    ' ',
    '\0',
    '\u00ff\u00fe',
    'mail from:<ü@ü>',
  ],
]
const HEADERS = [
  ...[
    'Subject: Hi',
    'Subject:',
    ': no name',
    'no colon',
    ' folded before the first',
    'From: <<>>,;:"',
    '\0: \0',
  ],
  ...['To: =?utf-8?B?w7w?= <a@x.org>, =?x?Q?=00?=', 'Subject: =?utf-8?Q?=E2=82?= =?iso-8859-1?B?////?='],
  ...[
    'X-PM-Tag: a',
    'X-PM-Tag: b',
    'X-PM-Metadata-: x',
    'X-PM-Metadata-__proto__: x',
    'X-PM-TrackOpens: maybe',
  ],
  ...[
    'X-PM-Message-Stream: pm-x',
    'X-PM-Bounce-Type: HardBounce',
    'X-PM-Metadata-é: é',
    'Bcc: c@x.org',
    'Date: x',
  ],
  ...['Content-Type: multipart/mixed; boundary=', 'Content-Type: text/html; charset=none', 'Message-ID: <'],
]

function garbage(random: Random, most: number): string {
  const length = upTo(random, most)
  return Array.from({ length }, () => String.fromCharCode(upTo(random, 255))).join('')
}

function body(random: Random): string {
  const lines = Array.from({ length: upTo(random, 12) }, () => pick(random, HEADERS))
  const text = [garbage(random, 500), '.'.repeat(upTo(random, 4)), '<p>x</p>', 'x'.repeat(upTo(random, 3000))]
  return [...lines, '', pick(random, text)].join(pick(random, ['\r\n', '\r\n', '\n', '\r']))
}

/** What a client says in one go. */
function draw(random: Random): string {
  const command = () => `${pick(random, COMMANDS)}${pick(random, ['\r\n', '\r\n', '\r\n', '\n', '\r', ''])}`
  switch (upTo(random, 9)) {
    case 0:
      return garbage(random, 2000)
    case 1:
      return `${pick(random, COMMANDS)}${'x'.repeat(upTo(random, 200_000))}`
    case 2:
      return Array.from({ length: upTo(random, 40) }, command).join('')
    case 3:
    case 4:
    case 5:
      return `MAIL FROM:<a@x.org>\r\nRCPT TO:<b@x.org>\r\nDATA\r\n${body(random)}\r\n.\r\n`
    default:
      return command()
  }
}

/** Writes it whole, or torn into packets. */
async function write(socket: Socket, text: string, random: Random): Promise<void> {
  const bytes = Buffer.from(text, 'latin1')
  const step = random() < 0.8 ? bytes.length : 1 + upTo(random, bytes.length >> 2)
  for (let at = 0; at < bytes.length && socket.writable; at += step) {
    socket.write(bytes.subarray(at, at + step))
    await setImmediate()
  }
}

const quiet = (socket: Socket) => socket.on('error', () => {}).resume()
/** Waits for an answer, where there is one. */
const answer = (socket: Socket, ms: number) =>
  once(socket, 'data', { signal: AbortSignal.timeout(ms) }).catch(() => {})

async function secure(socket: Socket, sandbox: Sandbox, random: Random): Promise<Socket> {
  await write(socket, 'STARTTLS\r\n', random)
  await answer(socket, 20)
  if (random() < 0.5) {
    await write(
      socket,
      pick(random, ['\x16\x03\x01', '\x16\x03\x01\x02\x00\x01', '']) + garbage(random, 300),
      random,
    )
    return socket
  }
  const tls = connectTls({ socket: socket.removeAllListeners('data'), ca: sandbox.ca, host: 'localhost' })
  quiet(tls)
  if (random() < 0.9) await once(tls, 'secureConnect', { signal: AbortSignal.timeout(500) }).catch(() => {})
  return tls
}

/** One client, from its greeting to one of the ways to leave. */
async function talk(sandbox: Sandbox, seed: number): Promise<void> {
  const random = createRandom(seed)
  const socket = connect({ host: sandbox.host, port: sandbox.port, allowHalfOpen: random() < 0.2 })
  let current = quiet(socket.setNoDelay())
  if (random() < 0.9) await answer(socket, 1000)
  const logIn = random() < 0.7
  if (logIn) await write(current, `EHLO me\r\n${random() < 0.3 ? '' : `${PLAIN}\r\n`}`, random)
  for (let steps = upTo(random, 12); steps > 0 && current.writable; steps--) {
    if (random() < 0.1 && current === socket) current = await secure(socket, sandbox, random)
    else await write(current, draw(random), random)
    if (random() < 0.5) await answer(current, 10)
  }
  const leaving = random()
  if (leaving < 0.5) current.end()
  else if (leaving < 0.75) socket.resetAndDestroy()
  if (current.writable) await Promise.race([once(current, 'close').catch(() => {}), setTimeout(20)])
  current.destroy()
  socket.destroy()
}

const crashes: unknown[] = []
const onCrash = (error: unknown) => void crashes.push(error)
beforeEach(() => {
  process.on('uncaughtException', onCrash).on('unhandledRejection', onCrash)
})
afterEach(() => {
  process.off('uncaughtException', onCrash).off('unhandledRejection', onCrash)
})

it.each([
  ['as usual', 60, undefined],
  ['with faults', 30, seededFaults(SEED, { rate: 0.3, maxDelayMs: 20 })],
])('a sandbox %s survives whatever clients say to it', async (_, seconds, faults) => {
  await using sandbox = await startSandbox(faults && { faults })
  const end = performance.now() + size(seconds / 2, 5, seconds) * 1000
  let clients = 0
  let taken = 0
  const talkUntil = async (time: number) => {
    while (performance.now() < time && clients < MOST_CLIENTS) {
      await talk(sandbox, SEED + clients++)
      taken += sandbox.outbox.length
      sandbox.clear()
    }
  }
  const crowd = (time: number) => Promise.all(Array.from({ length: CLIENTS_AT_ONCE }, () => talkUntil(time)))

  await crowd(performance.now() + (end - performance.now()) / 4)
  const early = await memoryInUse()
  await crowd(end)
  const grown = (await memoryInUse()) - early
  const seeds = `seeds ${SEED} to ${SEED + clients}`

  expect(crashes, seeds).toEqual([])
  expect(grown, `${seeds}: bytes grown`).toBeLessThan(10_000_000)
  expect(taken, `${seeds}: emails taken`).toBeGreaterThan(0)
  const { host, port } = sandbox
  const transport = createTransport({ host, port, ignoreTLS: true, auth: { user: TOKEN, pass: TOKEN } })
  if (!faults)
    await transport.sendMail({ from: 'a@x.org', to: 'b@x.org', subject: 'Still there', text: 'Hi' })
  expect(sandbox.outbox.at(-1)?.subject, seeds).toBe(faults ? undefined : 'Still there')
})
