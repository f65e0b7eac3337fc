import type { Duplex } from 'node:stream'
import type { Failure, SmtpFailureFields } from '../problems/smtp-failure.js'
import { outcomeOfReply, smtpError } from '../problems/smtp-failure.js'
import type { ChannelEnd } from './channel.js'
import { Channel } from './channel.js'
import type { OpenCallback, Opener } from './race-ports.js'
import type { Reply } from './reply-reader.js'
import type { SmtpLog } from './smtp-log.js'

/** Opens a socket in place of the race over the ports: a proxy, a tunnel. As Nodemailer's own `getSocket`. */
export type GetSocket = (
  options: object,
  done: (error: Error | null, socket?: { connection: object } | false) => void,
) => void

/** Makes the opener for sockets that a `getSocket` gives: each of them is a socket like any other from then on. */
export function createGivenSockets(getSocket: GetSocket, host: string, port: number): Opener {
  let wasGreeted = false
  return {
    bury: () => {},
    hasLivePort: true,
    get wasGreeted() {
      return wasGreeted
    },
    open: (limitMs, log, done) => {
      const opening = new Opening(log, (failure, greeted) => {
        if (greeted) wasGreeted = true
        done(failure, greeted)
      })
      opening.start(getSocket, { host, port, secure: false, connectionTimeout: limitMs }, limitMs)
      return () => opening.cancel()
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

  start(getSocket: GetSocket, options: object, limitMs: number): void {
    this.#timer = setTimeout(() => {
      const what = this.#channel ? 'no greeting on the socket of getSocket' : 'getSocket gave no socket'
      this.#fail(`${what} within ${limitMs} ms`, {
        code: 'ETIMEDOUT',
        explanation: this.#channel ? 'no-smtp-server' : undefined,
      })
    }, limitMs)
    let given = false
    try {
      getSocket(options, (error, result) => {
        const socket = result ? result.connection : undefined
        // A socket that comes late, or twice, has nobody who would close it.
        if (this.#over || given) (socket as Partial<Duplex> | undefined)?.destroy?.()
        else if (error || !isDuplex(socket))
          this.#fail(error ? `getSocket failed: ${error.message}` : 'getSocket gave no socket', {
            cause: error ?? undefined,
          })
        else {
          given = true
          this.#greet(socket)
        }
      })
    } catch (error) {
      this.#fail(`getSocket threw: ${error instanceof Error ? error.message : 'a value'}`, { cause: error })
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
      this.#fail(`What answers speaks no SMTP (${end.what})`, {
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

function isDuplex(value: object | undefined): value is Duplex {
  return (
    typeof (value as Partial<Duplex> | undefined)?.write === 'function' &&
    typeof (value as Partial<Duplex>).on === 'function'
  )
}
