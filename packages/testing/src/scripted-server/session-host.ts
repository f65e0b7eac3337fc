import type { Step, StepScript } from './step-fault.js'
import type { VirtualClock } from './virtual-clock.js'

/** How the scripted server behaves where nothing goes wrong. */
export interface ServerNature {
  /** How long what it says is on its way. */
  readonly latencyMs: number
  /** How long it thinks about a whole mail. */
  readonly mailMs: number
  /** Whether EHLO offers PIPELINING. */
  readonly pipelining: boolean
  /**
   * Whether EHLO offers CHUNKING: `misread` offers it and does not know BDAT, so that what follows is read as commands;
   * `leaky` knows it, and reads a chunk as commands where it has no recipient, as go-smtp does.
   */
  readonly chunking: boolean | 'misread' | 'leaky'
  /**
   * What becomes of commands in one write with the end of a body, or of a chunk: answered as they should be, each refused with 503
   * as Haraka does, or lost as with chasquid.
   */
  readonly afterBody: 'answered' | 'refused' | 'swallowed'
  /** Whether a body that was refused leaves its envelope in force until RSET, as Postfix has it. */
  readonly keepsEnvelope: boolean
}

/** A mail that the server took. */
export interface TakenMail {
  /** Without dot-stuffing and without the end. */
  readonly raw: Buffer
  readonly from: string
  readonly to: readonly string[]
  readonly connection: number
  /** Who had logged in. */
  readonly user: string | undefined
  readonly atMs: number
}

/** What a session needs of its server. */
export interface SessionHost {
  readonly nature: ServerNature
  readonly script: StepScript
  readonly clock: VirtualClock
  took(mail: TakenMail): void
  /** A command came, or the end of a body. */
  noted(step: Step, line: string): void
  /** The client did what no client may. */
  violated(what: string): void
}
