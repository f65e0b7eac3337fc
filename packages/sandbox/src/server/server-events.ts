import type { SandboxMail } from '../mail/sandbox-mail.js'
import type { SandboxEvent } from './sandbox-event.js'

/** A login that was refused. It does not say who tried, because the user name is a token. */
export interface RefusedLogin {
  /** @example 'PLAIN' */
  readonly method: string
  /** The token is wrong, or SMTP is off in the settings. */
  readonly reason: 'token' | 'smtp-off'
}

/** The events of a sandbox that you can listen to. */
export interface ServerEvents {
  mail: [mail: SandboxMail]
  event: [event: SandboxEvent]
  /** Emails were removed by hand, or the oldest ones to stay within `keep`. */
  removed: []
  refusedLogin: [login: RefusedLogin]
  /** Something could not be written to the directory of the option `data`. */
  dataProblem: [message: string]
}

/** The listeners of a server. */
export class ServerListeners {
  readonly #all: { readonly [K in keyof ServerEvents]: Set<(...args: ServerEvents[K]) => void> } = {
    mail: new Set(),
    event: new Set(),
    removed: new Set(),
    refusedLogin: new Set(),
    dataProblem: new Set(),
  }

  /** Calls the listener from now on. Returns a function that stops this. */
  add<K extends keyof ServerEvents>(event: K, listener: (...args: ServerEvents[K]) => void): () => void {
    this.#all[event].add(listener)
    return () => void this.#all[event].delete(listener)
  }

  call<K extends keyof ServerEvents>(event: K, ...args: ServerEvents[K]): void {
    for (const listener of this.#all[event]) {
      try {
        listener(...args)
      } catch (error) {
        // An error in a listener must not change the answer to a client, but it must be seen.
        process.nextTick(() => {
          throw error
        })
      }
    }
  }
}
