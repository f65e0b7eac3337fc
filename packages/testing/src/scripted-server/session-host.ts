import type { Step, StepScript } from './step-fault.js'
import type { VirtualClock } from './virtual-clock.js'

/** How the scripted server behaves when nothing goes wrong. */
export interface ServerNature {
  /** How long its replies take to arrive. */
  readonly latencyMs: number
  /** How long it waits before it answers a complete mail. */
  readonly mailMs: number
  /** Whether EHLO offers PIPELINING. */
  readonly pipelining: boolean
  /**
   * Whether EHLO offers CHUNKING. `misread` offers it but does not know BDAT, and reads a chunk as commands. `leaky` knows
   * BDAT, but reads a chunk as commands if there is no recipient, as go-smtp does.
   */
  readonly chunking: boolean | 'misread' | 'leaky'
  /**
   * What happens to commands in one write with the end of a body or chunk: they are answered correctly, refused with 503
   * each, as by Haraka, or lost, as by chasquid.
   */
  readonly afterBody: 'answered' | 'refused' | 'swallowed'
  /** Whether the envelope of a refused body stays in force until RSET, as in Postfix. */
  readonly keepsEnvelope: boolean
}

/** An email that the server accepted. */
export interface TakenMail {
  /** The body without dot-stuffing and without its end. */
  readonly raw: Buffer
  readonly from: string
  readonly to: readonly string[]
  readonly connection: number
  /** The user who had logged in. */
  readonly user: string | undefined
  readonly atMs: number
}

/** What a session needs from its server. */
export interface SessionHost {
  readonly nature: ServerNature
  readonly script: StepScript
  readonly clock: VirtualClock
  took(mail: TakenMail): void
  /** A command arrived, or the end of a body. */
  noted(step: Step, line: string): void
  /** The client violated the protocol. */
  violated(what: string): void
}
