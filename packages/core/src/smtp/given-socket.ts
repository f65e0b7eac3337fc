import type { Duplex } from 'node:stream'
import type { Failure, SmtpFailureFields } from '../problems/smtp-failure.js'
import { outcomeOfReply, smtpError } from '../problems/smtp-failure.js'
import { toError } from '../problems/to-error.js'
import { Channel } from './channel.js'
import type { ChannelEnd } from './channel-owner.js'
import type { OpenCallback, Opener } from './opener.js'
import type { Reply } from './reply-reader.js'
import type { SmtpLog } from './smtp-log.js'

/**
 * Opens a socket instead of racing the ports: a proxy or a tunnel. Like Nodemailer's own `getSocket`: if it returns
 * neither an error nor a socket, one is opened as usual.
 */
export type GetSocket = (
  options: object,
  done: (error: Error | null, socket?: { connection: object } | false) => void,
) => void

/**
 * Creates the opener for sockets from a `getSocket`. Each of them is treated like any other socket from then on.
 * @param race opens a socket if it returns none
 */
export function createGivenSockets(getSocket: GetSocket, host: string, port: number, race: Opener): Opener {
  let wasGreeted = false
  return {
    bury: race.bury,
    get hasLivePort() {
      return race.hasLivePort
    },
    get wasGreeted() {
      return wasGreeted || race.wasGreeted
    },
    open: (limitMs, log, done) => {
      let cancelRace: () => void = () => {}
      const opening = new Opening(log, (failure, greeted) => {
        if (greeted) wasGreeted = true
        done(failure, greeted)
      })
      opening.start(getSocket, { host, port, secure: false, connectionTimeout: limitMs }, limitMs, () => {
        cancelRace = race.open(limitMs, log, done)
      })
      return () => {
        opening.cancel()
        cancelRace()
      }
    },
  }
}

class Opening {
  readonly #log: SmtpLog
  readonly #done: OpenCallback
  #timer: NodeJS.Timeout | undefined
  #channel: Channel | undefined
  #over = false

  constructor(log: SmtpLog, done: OpenCallback) {
    this.#log = log
    this.#done = done
  }

  /** @param onNone called if there is neither a socket nor an error */
  start(getSocket: GetSocket, options: object, limitMs: number, onNone: () => void): void {
    this.#timer = setTimeout(() => {
      const what = this.#channel ? 'no greeting on the socket from getSocket' : 'getSocket returned no socket'
      this.#fail(`${what} within ${limitMs} ms`, {
        code: 'ETIMEDOUT',
        explanation: this.#channel ? 'no-smtp-server' : undefined,
      })
    }, limitMs)
    let given = false
    const threw = (error: unknown) => {
      if (!given) this.#fail(`getSocket threw: ${toError(error).message}`, { cause: error })
    }
    try {
      const returned: unknown = getSocket(options, (error, result) => {
        const socket = result ? result.connection : undefined
        // Nobody else would close a socket that arrives late, twice or with an error.
        if (this.#over || given || error) (socket as Partial<Duplex> | undefined)?.destroy?.()
        if (this.#over || given) return
        if (error) this.#fail(`getSocket failed: ${toError(error).message}`, { cause: error })
        else if (!socket) {
          this.cancel()
          onNone()
        } else if (!isDuplex(socket) || socket.destroyed)
          this.#fail(`getSocket returned ${isDuplex(socket) ? 'a closed socket' : 'no socket'}`, {})
        else {
          given = true
          this.#greet(socket)
        }
      })
      // It may be an async function, whose rejection would end the process.
      Promise.resolve(returned).catch(threw)
    } catch (error) {
      threw(error)
    }
  }

  cancel(): void {
    this.#over = true
    clearTimeout(this.#timer)
    this.#channel?.destroy()
    this.#channel = undefined
  }

  #greet(socket: Duplex): void {
    const channel = new Channel(socket, { onEnd: (end) => this.#onEnd(end) }, this.#log)
    this.#channel = channel
    channel.expect({
      onReply: (reply) => {
        if (reply.code === 220) {
          this.#channel = undefined
          this.cancel()
          this.#done(undefined, { channel, port: undefined })
        } else {
          channel.destroy()
          this.#refuse(reply)
        }
      },
    })
  }

  #onEnd(end: ChannelEnd): void {
    if (end.kind === 'protocol')
      this.#fail(`The service does not speak SMTP (${end.what})`, {
        code: 'EPROTOCOL',
        explanation: 'no-smtp-server',
      })
    else {
      const cause = end.kind === 'lost' ? end.cause : undefined
      this.#fail(cause?.message ?? 'The connection was closed before the greeting', { cause })
    }
  }

  #refuse({ code, response }: Reply): void {
    const outcome = outcomeOfReply(code) ?? 'not-sent'
    this.#fail(`The server greeted with ${JSON.stringify(response.slice(0, 200))}`, {
      code: 'EGREETING',
      outcome,
      response,
      responseCode: code,
    })
  }

  #fail(message: string, fields: Partial<SmtpFailureFields>): void {
    if (this.#over) return
    this.cancel()
    const { code = (fields.cause as { code?: string } | undefined)?.code ?? 'ECONNECTION', ...rest } = fields
    const error = smtpError(message, {
      outcome: 'not-sent',
      ...rest,
      code: String(code),
      phase: 'connect',
      command: 'CONN',
    })
    const failure: Failure = { error, retry: error.outcome === 'rejected' ? 'never' : 'counted' }
    this.#done(failure)
  }
}

function isDuplex(value: object): value is Duplex {
  const { write, on } = value as Partial<Duplex>
  return typeof write === 'function' && typeof on === 'function'
}
