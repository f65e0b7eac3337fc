import type { MemorySocket } from './memory-socket.js'
import { ScriptedSession } from './scripted-session.js'
import type { ServerNature, TakenMail } from './session-host.js'
import type { Step, StepFault, StepScript } from './step-fault.js'
import type { VirtualClock } from './virtual-clock.js'

/** Options of {@link createScriptedServer}. */
export interface ScriptedServerOptions extends Partial<ServerNature> {
  /** Called at every step of every connection; returns the fault, if any (default: none). */
  readonly script?: StepScript
  /** Called in the tick of the client's write, for every command and for every end of a body (`dot`) or chunk (`bdat`). */
  readonly onStep?: (step: Step, line: string, session: ScriptedSession) => void
}

type SocketCallback = (error: Error | null, socket?: { connection: object }) => void

/** An SMTP server that exists only in memory. */
export interface ScriptedServer {
  /** For the option `getSocket` of a transport or of Nodemailer, with a loopback host and without TLS. */
  readonly getSocket: (options: unknown, done: SocketCallback) => void
  /** The number of calls of getSocket. */
  readonly calls: number
  /** The connections, oldest first. */
  readonly sessions: readonly ScriptedSession[]
  /** The accepted emails, oldest first. */
  readonly taken: readonly TakenMail[]
  /** The client's violations of the protocol. */
  readonly violations: readonly string[]
  /** The client sockets that are not destroyed. */
  openSockets(): MemorySocket[]
}

/**
 * Creates an SMTP server in memory, on a clock that the test controls. It receives what the client writes in the tick of
 * the write; its replies arrive later.
 * @example
 * using clock = installVirtualClock()
 * const server = createScriptedServer(clock, { script: ({ step }) => (step === 'dot' ? { step, say: 451 } : undefined) })
 * createPostmarkTransport({ serverToken, host: '127.0.0.1', allowPlaintext: true, getSocket: server.getSocket })
 */
export function createScriptedServer(
  clock: VirtualClock,
  { script = () => undefined, onStep = () => {}, ...nature }: ScriptedServerOptions = {},
): ScriptedServer {
  const sessions: ScriptedSession[] = []
  const taken: TakenMail[] = []
  const violations: string[] = []
  const plan = {
    latencyMs: 1,
    mailMs: 0,
    pipelining: true,
    chunking: false,
    afterBody: 'answered',
    keepsEnvelope: false,
    ...nature,
  } as const
  let calls = 0

  const open = (): MemorySocket => {
    const session = new ScriptedSession(sessions.length, {
      nature: plan,
      script,
      clock,
      took: (mail) => void taken.push(mail),
      noted: (step, line) => onStep(step, line, session),
      violated: (what) => void violations.push(`connection ${session.index}: ${what}`),
    })
    sessions.push(session)
    session.begin()
    return session.wire.socket
  }
  const connect = (fault: Partial<StepFault>, done: SocketCallback) => {
    if (fault.say === 'nothing') {
      const error = new Error('connect ECONNREFUSED 127.0.0.1:587')
      done(Object.assign(error, { code: 'ECONNREFUSED', syscall: 'connect' }))
      return
    }
    const socket = open()
    if (fault.next === 'end' || fault.next === 'shut') socket.deliverEnd()
    if (fault.next === 'reset') socket.destroy()
    done(null, { connection: socket })
  }
  return {
    getSocket: (_options, done) => {
      const fault = script({ step: 'connect', line: '', connection: calls++, mail: -1, user: undefined })
      fault?.act?.()
      if (fault?.next === 'stall') return
      clock.schedule(fault?.waitMs ?? plan.latencyMs, () => connect(fault ?? {}, done))
    },
    get calls() {
      return calls
    },
    sessions,
    taken,
    violations,
    openSockets: () => sessions.map(({ wire }) => wire.socket).filter(({ destroyed }) => !destroyed),
  }
}
