import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { SMTPServer } from 'smtp-server'
import type { ConnectionGate, SessionOptions } from '../smtp-listener.js'
import { checkFault, type Fault, FaultPlan, type FaultScript } from './fault-script.js'
import { FaultSession } from './fault-session.js'
import { createSandboxSessionServer } from './sandbox-session-server.js'

/** Comes before the servers of a sandbox. Serves the connections with a fault, and lets the others through. */
export class FaultGate implements ConnectionGate {
  readonly #script: FaultScript
  readonly #next: Fault[] = []
  /** The open connections, each with a function that ends it if it is idle. */
  readonly #open = new Map<Socket, () => boolean>()
  #connections = 0

  constructor(script: FaultScript = []) {
    this.#script = script
  }

  /** Takes over the connections of a server. Called before it listens. */
  guard(server: SMTPServer, options: SessionOptions): void {
    const usual = server.server.listeners('connection')
    server.server.removeAllListeners('connection').on('connection', (socket: Socket) => {
      socket.once('close', () => this.#open.delete(socket))
      const plan = this.#nextPlan()
      if (plan) {
        const session = new FaultSession(socket, plan, createSandboxSessionServer(options))
        this.#open.set(socket, () => session.endIfIdle())
        void session.run()
      } else {
        this.#open.set(socket, () => endIfIdle(server, socket.remotePort))
        for (const serve of usual) serve.call(server.server, socket)
      }
    })
  }

  /** Makes a fault strike on the next connection. Ends the idle ones, because a pool would otherwise reuse one. */
  async fail(fault: Fault): Promise<void> {
    checkFault(fault)
    this.#next.push(fault)
    const ended = [...this.#open].filter(([, end]) => end())
    await Promise.all(ended.map(([socket]) => socket.closed || once(socket, 'close')))
  }

  #nextPlan(): FaultPlan | undefined {
    const connection = this.#connections++
    const next = this.#next.shift()
    if (next) return new FaultPlan([next], 0)
    const script = this.#script
    const strikes = typeof script === 'function' || script[connection] !== undefined
    return strikes ? new FaultPlan(script, connection) : undefined
  }
}

/** A connection of smtp-server is idle once it has logged in, between two emails. */
function endIfIdle(server: SMTPServer, port: number | undefined): boolean {
  const connection = [...server.connections].find(({ session }) => session.remotePort === port)
  if (!connection?.session.user || connection.session.envelope.mailFrom) return false
  connection.close()
  // Otherwise, it would wait five seconds for a client that leaves its end open, such as one that this call blocks.
  connection._socket.destroySoon()
  return true
}
