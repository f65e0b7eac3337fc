import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { startSandbox } from '../../sandbox.js'
import { FAULT_PHASES, type Fault, type FaultPhase, type FaultScript } from './fault-script.js'
import { type FaultServer, startFaultServer } from './fault-server.js'

const BODY = 'Subject: x\r\n\r\n..dot\r\n.\r\n'
const PLAIN = `AUTH PLAIN ${btoa('\0PM-T-me\0secret')}`

/** What a client needs to know of a server. */
interface Address {
  readonly host: string
  readonly port: number
  readonly ca: string
}

/** A client with no SMTP of its own: it says what it is told and keeps what it hears. */
class RawClient {
  #heard = ''
  /** How the server left: `end` (FIN) or `reset` (RST). */
  #left: 'end' | 'reset' | undefined
  #wake = () => {}
  readonly server: Address
  socket: Socket

  constructor(server: Address) {
    this.server = server
    this.socket = this.#listen(connect({ host: server.host, port: server.port, allowHalfOpen: true }))
  }

  #listen(socket: Socket): Socket {
    const leave = (how: 'end' | 'reset') => {
      this.#left ??= how
      this.#wake()
    }
    socket.on('error', () => leave('reset')).on('end', () => leave('end'))
    return socket.on('data', (chunk) => {
      this.#heard += chunk.toString('latin1')
      this.#wake()
    })
  }

  async hear(): Promise<string> {
    for (;;) {
      const reply = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(this.#heard)?.[0]
      if (reply !== undefined) {
        this.#heard = this.#heard.slice(reply.length)
        return reply.slice(0, -2)
      }
      if (this.#left) throw new Error(`The server left (${this.#left}) after ${this.#heard}`)
      await this.#change()
    }
  }

  async say(line: string): Promise<string> {
    this.socket.write(`${line}\r\n`)
    return this.hear()
  }

  /** Everything that the server still says, and how it leaves. */
  async rest(): Promise<{ heard: string; left: string }> {
    while (!this.#left) await this.#change()
    // Behind bytes that it has just read, libuv takes a reset for an end; a write tells them apart.
    const error = await new Promise((resolve) => this.socket.write('\r\n', resolve))
    this.socket.destroy()
    return { heard: this.#heard, left: error ? 'reset' : this.#left }
  }

  async secure(): Promise<void> {
    this.socket.removeAllListeners()
    const socket = connectTls({ socket: this.socket, ca: this.server.ca, host: 'localhost' })
    this.socket = this.#listen(socket)
    await once(socket, 'secureConnect')
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}

/** What a client says to come to a phase, and how: the last step is what the fault answers. */
const STEPS: readonly (readonly [FaultPhase, (client: RawClient) => unknown])[] = [
  ['connect', () => {}],
  ['greeting', () => {}],
  ['ehlo', (client) => client.socket.write('EHLO me\r\n')],
  ['starttls', (client) => client.socket.write('STARTTLS\r\n')],
  ['tls', (client) => client.socket.write('\x16\x03\x01 hello')],
  ['ehlo-tls', (client) => client.socket.write('EHLO me\r\n')],
  ['auth', (client) => client.socket.write(`${PLAIN}\r\n`)],
  ['mail', (client) => client.socket.write('MAIL FROM:<a@x.org>\r\n')],
  ['rcpt', (client) => client.socket.write('RCPT TO:<b@x.org>\r\n')],
  ['data', (client) => client.socket.write('DATA\r\n')],
  ['body', (client) => client.socket.write(BODY)],
  ['dot', () => {}],
  ['after', () => {}],
]

/** A client whose next reply is the fault of this phase. */
async function comeTo(phase: FaultPhase, server: Address): Promise<RawClient> {
  const client = new RawClient(server)
  for (const [step, act] of STEPS) {
    if (step === 'ehlo-tls') await client.secure()
    else if (step !== 'tls' || phase === 'tls') act(client)
    if (step === 'ehlo-tls') act(client)
    if (step === phase) break
    if (!['connect', 'tls', 'body', 'after'].includes(step)) await client.hear()
  }
  return client
}

const deferred = () => {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve: () => resolve() }
}
const serve = (script: FaultScript) => startFaultServer({ script })
const inFlight = (server: FaultServer) => server.connections[0]!

/** The two ways to such a server, with what they took. */
const SERVERS = {
  async startFaultServer(script: FaultScript) {
    const server = await startFaultServer({ script })
    return { ...server, taken: () => server.accepted.length }
  },
  async startSandbox(faults: FaultScript) {
    const sandbox = await startSandbox({ faults })
    return { ...sandbox, taken: () => sandbox.outbox.length }
  },
}
const SERVED = (['startFaultServer', 'startSandbox'] as const).flatMap((name) =>
  FAULT_PHASES.map((phase) => [name, phase] as const),
)

describe.each(SERVED)('%s with a fault at %s', (name, phase) => {
  const start = SERVERS[name]
  const taken = phase === 'after' ? 1 : 0

  it.each([
    ['resets the connection', 'reset', 'reset'],
    ['closes the connection', 'cut', 'end'],
  ] as const)('%s', async (_, kind, left) => {
    await using server = await start([{ phase, kind } as Fault])
    const client = await comeTo(phase, server)
    expect(await client.rest()).toEqual({ heard: '', left })
    expect(server.taken()).toBe(taken)
  })

  it('says nothing more', async () => {
    await using server = await start([{ phase, kind: 'stall' }])
    const client = await comeTo(phase, server)
    // All that the server has to say comes before its end, which answers ours; but a held body is never read.
    client.socket.end('NOOP\r\n')
    const other = await comeTo('dot', server)
    expect(await other.hear()).toMatch(/^250 /)
    other.socket.destroy()
    if (phase === 'body') await server.close()
    expect((await client.rest()).heard).toBe('')
    expect(server.taken()).toBe(taken + 1)
  })

  it('says what is no reply, and goes on', async () => {
    await using server = await start([{ phase, kind: 'garble', bytes: '\u00ff?' }])
    const client = await comeTo(phase, server)
    client.socket.end(phase === 'tls' ? '' : 'QUIT\r\n')
    const { heard } = await client.rest()
    const then =
      phase === 'connect' ? '220 smtp.sandbox ESMTP\r\n221' : phase === 'body' ? '250 2.0.0' : '221'
    expect(heard).toMatch(phase === 'tls' ? /^\u00ff\?$/ : new RegExp(`^\u00ff\\?${then}`))
  })
})

describe.each(SERVED.filter(([, phase]) => !['connect', 'tls', 'after'].includes(phase)))(
  '%s with a fault at %s',
  (name, phase) => {
    const start = SERVERS[name]

    it('says another reply in its place, and goes on', async () => {
      await using server = await start([{ phase, kind: 'reply', code: 451, text: '4.3.0 later' }])
      const client = await comeTo(phase, server)
      expect(await client.hear()).toBe('451 4.3.0 later')
      expect(await client.say('NOOP')).toBe('250 2.0.0 Ok')
      expect(server.taken()).toBe(0)
    })

    it('says 421 and hangs up', async () => {
      await using server = await start([{ phase, kind: 'reply', code: 421 }])
      const client = await comeTo(phase, server)
      expect(await client.rest()).toEqual({ heard: '421 by the script\r\n', left: 'end' })
    })

    it('is late, and goes on as usual', async () => {
      await using server = await start([{ phase, kind: 'delay', ms: 20 }])
      const client = await comeTo(phase, server)
      const began = performance.now()
      expect(await client.hear()).toMatch(/^[23]/)
      expect(performance.now() - began).toBeGreaterThan(18)
    })
  },
)

it('counts a STARTTLS that is hidden as a fault that struck, though no client asks for it', async () => {
  await using server = await startFaultServer({ script: [{ phase: 'starttls', kind: 'missing' }] })
  await (await comeTo('ehlo', server)).hear()
  expect(server.connections.flatMap(({ faults }) => faults)).toEqual([{ phase: 'starttls', kind: 'missing' }])
})

describe.each(Object.entries(SERVERS))('%s', (_, start) => {
  it('hides STARTTLS', async () => {
    await using server = await start([{ phase: 'starttls', kind: 'missing' }])
    const client = await comeTo('ehlo', server)
    expect(await client.hear()).not.toContain('STARTTLS')
    for (let times = 0; times < 2; times++) expect(await client.say('STARTTLS')).toMatch(/^502 /)
  })

  it('shows a certificate that nobody vouches for', async () => {
    await using server = await start([{ phase: 'tls', kind: 'certificate' }])
    await expect(comeTo('auth', server)).rejects.toThrow(/self.signed/)
  })

  it.each([
    ['PLAIN', [PLAIN]],
    ['PLAIN in two steps', ['AUTH PLAIN', 'AHNlY3JldA==']],
    ['LOGIN', ['AUTH LOGIN', 'bWU=', 'c2VjcmV0']],
    ['LOGIN with the user name in the command', ['AUTH LOGIN bWU=', 'c2VjcmV0']],
    ['CRAM-MD5', ['AUTH CRAM-MD5', 'bWUgMTIz']],
  ])('repeats the login of %s in its refusal', async (_, lines) => {
    await using server = await start([{ phase: 'auth', kind: 'echo' }])
    const client = await comeTo('ehlo-tls', server)
    await client.hear()
    const replies = []
    for (const line of lines) replies.push(await client.say(line))
    expect(replies.pop()).toBe(`535 5.7.8 Error: authentication failed: ${lines.join(' ')}`)
    for (const reply of replies) expect(reply).toMatch(/^334 /)
  })
})

describe('startFaultServer', () => {
  it('takes an email over TLS, its envelope in one packet, and keeps what came', async () => {
    await using server = await serve([])
    const client = await comeTo('auth', server)
    expect(await client.hear()).toBe('235 2.7.0 Authentication successful')
    client.socket.write('MAIL FROM:<a@x.org> SIZE=9\r\nRCPT TO:<b@x.org>\r\nRCPT TO:<c@x.org>\r\nDATA\r\n')
    for (const reply of ['250 2.1.0 Ok', '250 2.1.5 Ok', '250 2.1.5 Ok'])
      expect(await client.hear()).toBe(reply)
    expect(await client.hear()).toMatch(/^354 /)
    expect(await client.say(BODY.trimEnd())).toBe('250 2.0.0 Ok: queued as 00000001')
    const envelope = { from: 'a@x.org', to: ['b@x.org', 'c@x.org'] }
    const raw = Buffer.from('Subject: x\r\n\r\n.dot\r\n')
    expect(server.accepted).toEqual([{ raw, envelope, connection: 0 }])
    expect(server.commands.slice(0, 4)).toEqual(['EHLO me', 'STARTTLS', 'EHLO me', PLAIN])
    expect(inFlight(server)).toMatchObject({ secure: true, open: true, faults: [] })
    await server.close()
    expect(inFlight(server).open).toBe(false)
  })

  it('lists what Postmark lists, and STARTTLS before TLS alone', async () => {
    await using server = await serve([])
    const client = await comeTo('ehlo', server)
    await client.hear()
    const list = ['STARTTLS', 'AUTH PLAIN LOGIN CRAM-MD5', '8BITMIME']
    for (const word of ['PIPELINING', 'SIZE 20480000', ...list])
      expect(await client.say('EHLO me')).toContain(word)
    await client.say('STARTTLS')
    await client.secure()
    expect(await client.say('EHLO me')).not.toContain('STARTTLS')
  })

  it('cuts and stalls in the middle of a reply', async () => {
    await using server = await serve([
      { phase: 'greeting', kind: 'cut', half: true },
      { phase: 'ehlo', kind: 'stall', half: true },
    ])
    expect(await (await comeTo('greeting', server)).rest()).toEqual({ heard: '220 smtp.sa', left: 'end' })
    const stalled = await comeTo('ehlo', server)
    stalled.socket.end()
    expect((await stalled.rest()).heard).toMatch(
      /^250-smtp.sandbox\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-DSN\r\n250$/,
    )
  })

  it('refuses one recipient of several, or each', async () => {
    const refusal = { phase: 'rcpt', kind: 'reply', code: 550 } as const
    await using server = await serve([
      { ...refusal, recipient: 1 },
      { ...refusal, repeat: true },
    ])
    const envelope = 'RCPT TO:<b@x.org>\r\nRCPT TO:<c@x.org>\r\nDATA'
    for (const codes of [
      ['250', '550', '354'],
      ['550', '550', '554'],
    ]) {
      const client = await comeTo('mail', server)
      await client.hear()
      client.socket.write(`${envelope}\r\n`)
      for (const code of codes) expect((await client.hear()).slice(0, 3)).toBe(code)
    }
  })

  it('counts an email as taken before it replies, or does not reply, as the script says', async () => {
    const accepted: number[] = []
    await using server: FaultServer = await startFaultServer({
      script: [
        { phase: 'dot', kind: 'cut', accepted: true },
        { phase: 'dot', kind: 'cut' },
        { phase: 'dot', kind: 'reply', code: 250, text: 'fine' },
        { phase: 'dot', kind: 'reply', code: 550 },
        { phase: 'dot', kind: 'delay', ms: 1 },
      ],
      onFault: () => void accepted.push(server.accepted.length),
    })
    for (let mail = 0; mail < 5; mail++) {
      const client = await comeTo('dot', server)
      client.socket.end()
      await client.rest()
    }
    expect(accepted).toEqual([1, 1, 2, 2, 3])
  })

  it('strikes in a body of a certain length, and no shorter one', async () => {
    await using server = await serve((_, mail) => ({
      phase: 'body',
      kind: 'cut',
      afterBytes: mail === 0 ? 1000 : BODY.length,
    }))
    const client = await comeTo('dot', server)
    expect(await client.hear()).toMatch(/^250 /)
    await client.say('MAIL FROM:<a@x.org>')
    await client.say('RCPT TO:<b@x.org>')
    await client.say('DATA')
    client.socket.write(BODY)
    expect(await client.rest()).toEqual({ heard: '', left: 'end' })
    expect(server.accepted).toHaveLength(1)
  })

  it('lets the writes of a client pile up where it stalls in a body', async () => {
    const struck = deferred()
    await using server = await startFaultServer({
      script: [{ phase: 'body', kind: 'stall', afterBytes: 1000 }],
      onFault: struck.resolve,
    })
    const client = await comeTo('data', server)
    await client.hear()
    client.socket.write('x'.repeat(30_000_000))
    await struck.promise
    await server.close()
    await client.rest()
    expect(inFlight(server).bytes).toBeLessThan(1_000_000)
  })

  it('asks a function once for each email of each connection', async () => {
    const asked: string[] = []
    await using server = await serve((connection, mail) => {
      asked.push(`${connection}.${mail}`)
      return mail === 1 ? { phase: 'mail', kind: 'reply', code: 450 } : undefined
    })
    const client = await comeTo('mail', server)
    const replies = [await client.hear()]
    for (let mail = 0; mail < 3; mail++) replies.push(await client.say('MAIL FROM:<a@x.org>'))
    await comeTo('ehlo', server)
    expect(replies.map((reply) => reply.slice(0, 3))).toEqual(['250', '450', '250', '250'])
    expect(asked).toEqual(['0.0', '0.1', '0.2', '0.3', '1.0'])
  })

  it('finds the final dot wherever the packets end', async () => {
    await using server = await serve([])
    const client = await comeTo('data', server)
    await client.hear()
    for (const byte of BODY) await new Promise<unknown>((resolve) => client.socket.write(byte, resolve))
    expect(await client.hear()).toMatch(/^250 /)
    for (const line of ['MAIL FROM:<>', 'RCPT TO:<b@x.org>', 'DATA', '.']) await client.say(line)
    expect(server.accepted.map(({ raw }) => raw.toString())).toEqual(['Subject: x\r\n\r\n.dot\r\n', ''])
  })
})
