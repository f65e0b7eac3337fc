import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Environment } from './environment.js'
import { judge } from './goal.js'
import { multipart, oneLine } from './messages.js'
import type { Section } from './section.js'
import { MAKERS, type Sender } from './senders.js'

const MAILS = 500
const GOAL = { of: 'writes', is: 'at most', limit: 1.1 } as const
const CASES = [
  ['one line, 50 at a time', oneLine, 50],
  ['one line, all at once', oneLine, MAILS],
  ['multipart, 50 at a time', multipart, 50],
  ['multipart, all at once', multipart, MAILS],
] as const

/** Writes to TLS per email, each of which is a system call and a record. The machine adds no noise to them. */
export async function measureWrites(env: Environment): Promise<Section[]> {
  const rows: (string | number)[][] = []
  const counter = countWrites()
  for (const [what, message, concurrency] of CASES) {
    for (const [index, [name, make]] of MAKERS.slice(0, 2).entries()) {
      const sender = make({ port: env.near, cert: env.cert })
      // The second time counts: connections are open, and what the server accepts is known.
      await sendAll(sender, message, concurrency)
      const before = counter.writes
      await sendAll(sender, message, concurrency)
      const writes = (counter.writes - before) / MAILS
      await sender.close()
      env.tally(2 * MAILS)
      rows.push([what, name, writes, index === 1 ? judge(GOAL, writes) : ''])
    }
  }
  counter.stop()
  return [
    {
      title: `Writes per email, loopback: ${MAILS} emails`,
      headings: ['mails', 'sent by', 'writes', 'goal'],
      rows,
    },
  ]
}

async function sendAll(sender: Sender, message: object, concurrency: number): Promise<void> {
  let left = MAILS
  const work = async () => {
    while (left-- > 0) await sender.sendMail(message)
  }
  await Promise.all(Array.from({ length: concurrency }, work))
}

/** Counts the writes of Node's streams to TLS sockets: one part, or several together. */
function countWrites(): { readonly writes: number; stop(): void } {
  const { _write, _writev } = Socket.prototype
  let writes = 0
  Socket.prototype._write = function (...parts) {
    if (this instanceof TLSSocket) writes++
    _write.apply(this, parts)
  }
  Socket.prototype._writev = function (...parts) {
    if (this instanceof TLSSocket) writes++
    _writev?.apply(this, parts)
  }
  return {
    get writes() {
      return writes
    },
    stop: () => Object.assign(Socket.prototype, { _write, _writev }),
  }
}
