/** Where in a session the scripted server can go wrong, in the order of the session. */
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
 * `connect` is the call of getSocket, `auth` the reply to AUTH, `proof` the reply to the answer of its challenge,
 * `body` inside of a body, `dot` the reply to its end, `bdat` the reply to a chunk, once its bytes are there. Every other step is the reply to the command of its name.
 */
export type Step = (typeof STEPS)[number]

/** What the server does at a step in place of its usual reply. Fields that are left out are as usual. */
export interface StepFault {
  readonly step: Step
  /**
   * What it says: a code makes a reply of one line, `half` is the first half of the usual one, `{ bytes }` are said as
   * they are. At `connect`, `nothing` means that getSocket calls back with an error.
   */
  readonly say?: 'usual' | 'half' | 'nothing' | number | { readonly bytes: string }
  /** For how long it thinks before. */
  readonly waitMs?: number
  /**
   * What it does then: it says nothing more and reads nothing (`stall`), ends the connection (FIN; `shut` as well, but
   * what the client still says is read and obeyed), or breaks it (RST).
   */
  readonly next?: 'stall' | 'end' | 'shut' | 'reset'
  /** Bytes that nobody asked for, after the reply. */
  readonly extra?: string
  /** How long after the reply `extra` and `next` come. */
  readonly nextMs?: number
  /** `dot`, and `bdat` with LAST: whether the mail is taken. By default it is unless another reply than 250 is said. */
  readonly accepted?: boolean
  /** `body`: strikes once this many bytes of the body have come; default 1. */
  readonly afterBytes?: number
  /** Called when it strikes, in the very tick of the client's write. */
  readonly act?: () => void
}

/** When a fault is looked for. */
export interface StepContext {
  readonly step: Step
  /** The connection, from 0. */
  readonly connection: number
  /** The mails that this connection began before. */
  readonly mail: number
  /** The command, where there is one. */
  readonly line: string
  /** Who logged in. */
  readonly user: string | undefined
}

/** Asked at every step; what it returns strikes. */
export type StepScript = (context: StepContext) => StepFault | undefined
