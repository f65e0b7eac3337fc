/** The steps of a session at which the scripted server can fail, in order. */
export const STEPS = [
  'connect',
  'greeting',
  'ehlo',
  'auth',
  'proof',
  'mail',
  'rcpt',
  'data',
  'body',
  'dot',
  'bdat',
  'rset',
  'quit',
] as const

/**
 * A step at which the scripted server can fail. `connect` is the call of getSocket, `auth` the reply to AUTH, `proof` the
 * reply to the answer to its challenge, `body` a point inside a body, `dot` the reply to the end of a body, and `bdat` the
 * reply to a chunk, after its bytes have arrived. Every other step is the reply to the command with its name.
 */
export type Step = (typeof STEPS)[number]

/** What the server does at a step instead of its usual reply. Fields that are left out keep the usual behaviour. */
export interface StepFault {
  readonly step: Step
  /**
   * What it sends: a code makes a reply of one line, `half` is the first half of the usual reply, `{ bytes }` are sent as
   * they are. At `connect`, `nothing` means that getSocket calls back with an error.
   */
  readonly say?: 'usual' | 'half' | 'nothing' | number | { readonly bytes: string }
  /** How long it waits before that. */
  readonly waitMs?: number
  /**
   * What it does after that: it stops sending and reading (`stall`), ends the connection (FIN; `shut` does so as well, but
   * still reads and obeys the client), or resets it (RST).
   */
  readonly next?: 'stall' | 'end' | 'shut' | 'reset'
  /** Unsolicited bytes after the reply. */
  readonly extra?: string
  /** How long after the reply `extra` and `next` follow. */
  readonly nextMs?: number
  /** For `dot`, and `bdat` with LAST: whether the email is accepted. By default it is, unless a reply other than 250 is sent. */
  readonly accepted?: boolean
  /** For `body`: the number of bytes of the body after which the fault occurs. Default 1. */
  readonly afterBytes?: number
  /** Called when the fault occurs, in the same tick as the client's write. */
  readonly act?: () => void
}

/** The moment for which a script can return a fault. */
export interface StepContext {
  readonly step: Step
  /** The connection, from 0. */
  readonly connection: number
  /** The number of emails that this connection began before. */
  readonly mail: number
  /** The command, if there is one. */
  readonly line: string
  /** The user who logged in. */
  readonly user: string | undefined
}

/** Called at every step; the fault that it returns occurs. */
export type StepScript = (context: StepContext) => StepFault | undefined
