import type { Failure } from '../problems/smtp-failure.js'
import type { Channel } from './channel.js'
import type { SmtpLog } from './smtp-log.js'

/** A channel whose server has greeted. */
export interface Greeted {
  readonly channel: Channel
  /** Undefined where the socket is another's. */
  readonly port: number | undefined
}

/** Called once, with a greeted channel or with why there is none. */
export type OpenCallback = (failure: Failure | undefined, greeted?: Greeted) => void

/** Where channels come from. */
export interface Opener {
  /** Opens a channel within the time. @returns what gives up: the callback is not called after it */
  open(limitMs: number, log: SmtpLog, done: OpenCallback): () => void
  /** Notes that a port does not serve: it offers no STARTTLS, or its certificate fails. */
  bury(port: number): void
  /** Whether a port is left that is not known to be dead. */
  readonly hasLivePort: boolean
  /** Whether a server has ever greeted: until then a failure is most likely a mistake in the configuration. */
  readonly wasGreeted: boolean
}
