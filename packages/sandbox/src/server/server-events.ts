import type { SandboxMail } from '../mail/sandbox-mail.js'
import type { SandboxEvent } from './sandbox-event.js'

/** A login that was refused; who tried is not kept, since the user name is a token. */
export interface RefusedLogin {
  /** @example 'PLAIN' */
  readonly method: string
  /** The token is wrong, or SMTP is switched off in the settings. */
  readonly reason: 'token' | 'smtp-off'
}

/** What happens in the server, for the page, webhooks and those who wait. */
export interface ServerEvents {
  mail: [mail: SandboxMail]
  event: [event: SandboxEvent]
  /** Mails were removed: by `clear`, or the oldest by the cap. */
  removed: []
  refusedLogin: [login: RefusedLogin]
  /** Something could not be written to the directory of the option `data`. */
  dataProblem: [message: string]
}

/** Who listens to a server. */
export class ServerListeners {
  readonly #all: { readonly [K in keyof ServerEvents]: Set<(...args: ServerEvents[K]) => void> } = {
    mail: new Set(),
    event: new Set(),
    removed: new Set(),
    refusedLogin: new Set(),
    dataProblem: new Set(),
  }

  /** Calls the listener from now on; returns what ends that. */
  add<K extends keyof ServerEvents>(event: K, listener: (...args: ServerEvents[K]) => void): () => void {
    this.#all[event].add(listener)
    return () => void this.#all[event].delete(listener)
  }

  call<K extends keyof ServerEvents>(event: K, ...args: ServerEvents[K]): void {
    for (const listener of this.#all[event]) {
      try {
        listener(...args)
      } catch (error) {
        // The fault of a listener is no reason to answer a client otherwise, but it must be seen.
        process.nextTick(() => {
          throw error
        })
      }
    }
  }
}
