import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { FAULT_PHASES, type Fault, type FaultPhase, type FaultScript } from './fault-script.js'
import { type FaultServer, startFaultServer } from './fault-server.js'

const BODY = 'Subject: x\r\n\r\n..dot\r\n.\r\n'
const PLAIN = `AUTH PLAIN ${Buffer.from('\0me\0secret').toString('base64')}`

/** A client with no SMTP of its own: it says what it is told and keeps what it hears. */
class RawClient {
  #heard = ''
  /** How the server left: `end` (FIN) or `reset` (RST). */
  #left: 'end' | 'reset' | undefined
  #wake = () => {}
  readonly server: FaultServer
  socket: Socket

  constructor(server: FaultServer) {
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
        return reply.trimEnd()
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
    return { heard: this.#heard, left: this.#left }
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
async function comeTo(phase: FaultPhase, server: FaultServer): Promise<RawClient> {
  const client = new RawClient(server)
  await once(client.socket, 'connect')
  for (const [step, act] of STEPS) {
    if (step === 'ehlo-tls') await client.secure()
    else if (step !== 'tls' || phase === 'tls') act(client)
    if (step === 'ehlo-tls') act(client)
    if (step === phase) break
    if (!['connect', 'tls', 'body', 'after'].includes(step)) await client.hear()
  }
  return client
}

const ECHO = `535 5.7.8 Error: authentication failed: ${PLAIN}`
const serve = (script: FaultScript) => startFaultServer({ script })

describe.each(FAULT_PHASES)('a fault at %s', (phase) => {
  it.each([
    ['refuse', 'resets the connection', { heard: '', left: 'reset' }],
    ['cut', 'closes the connection', { heard: '', left: 'end' }],
  ] as const)('%s %s', async (kind, _, expected) => {
    await using server = await serve([{ phase, kind }])
    const client = await comeTo(phase, server)
    expect(await client.rest()).toEqual(expected)
    expect(server.connections[0]!.faults).toEqual([{ phase, kind }])
    expect(server.accepted).toHaveLength(phase === 'after' ? 1 : 0)
  })
})
