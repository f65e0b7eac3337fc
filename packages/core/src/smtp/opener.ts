import type { Failure } from '../problems/smtp-failure.js'
import type { Channel } from './channel.js'
import type { SmtpLog } from './smtp-log.js'

/** A channel whose server has greeted. */
export interface Greeted {
  readonly channel: Channel
  /** Undefined if the socket is not ours. */
  readonly port: number | undefined
}

/** Called once, with a greeted channel or the reason why there is none. */
export type OpenCallback = (failure: Failure | undefined, greeted?: Greeted) => void

/** Where channels come from. */
export interface Opener {
  /** Opens a channel within the time limit. @returns a function that gives up; the callback is not called after that */
  open(limitMs: number, log: SmtpLog, done: OpenCallback): () => void
  /** Marks a port as unusable: it offers no STARTTLS, or its certificate is not valid. */
  bury(port: number): void
  /** Whether there is a port left that is not known to be dead. */
  readonly hasLivePort: boolean
  /** Whether a server has ever greeted. Until then, a failure is most likely a configuration mistake. */
  readonly wasGreeted: boolean
}
