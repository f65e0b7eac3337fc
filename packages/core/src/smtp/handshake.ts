import type { Duplex } from 'node:stream'
import type { Failure } from '../problems/smtp-failure.js'
import { toError } from '../problems/to-error.js'
import type { Capabilities } from './capabilities.js'
import { NO_CAPABILITIES, parseCapabilities } from './capabilities.js'
import type { Channel } from './channel.js'
import type { ChannelEnd } from './channel-owner.js'
import type { Login } from './credentials.js'
import { HandshakeError, HandshakeErrors, toFields } from './handshake-error.js'
import type { AuthMethod } from './login.js'
import { ChallengeError, chooseMechanism, logIn } from './login.js'
import type { Reply } from './reply-reader.js'
import type { TlsContext } from './start-tls.js'
import { startTls } from './start-tls.js'

/** What a handshake needs to know. */
export interface HandshakePlan {
  readonly host: string
  readonly port: number | undefined
  /** Undefined for a loopback host to which plaintext is allowed. */
  readonly tls: TlsContext | undefined
  readonly authMethod: AuthMethod | undefined
  /** Called once per login. The login is not stored. */
  readonly login: () => Login | Promise<Login>
  /** Time limit for the whole handshake. */
  readonly limitMs: number
}

/** How a handshake ended. `ofPort`: another port of the host may work better. */
export type HandshakeResult =
  | { readonly capabilities: Capabilities }
  | { readonly failure: Failure; readonly ofPort: boolean }

/** Where a handshake is; the states of a session before it is ready. */
export type HandshakeState = 'greeted' | 'securing' | 'authenticating'

/**
 * Takes a greeted channel to a login: EHLO, STARTTLS and TLS, EHLO again, AUTH. What the server offered before TLS is
 * forgotten (RFC 3207 §4.2), and no credential is sent before TLS is verified.
 */
export class Handshake {
  state: HandshakeState = 'greeted'
  readonly #channel: Channel
  readonly #plan: HandshakePlan
  readonly #errors: HandshakeErrors
  /** Aborts the current wait. Undefined while a step continues on its own. */
  #breakOff: ((error: HandshakeError) => void) | undefined
  #end: HandshakeError | undefined
  #upgrading: Duplex | undefined
  /** Whether the handshake waits for the caller's function for credentials, not for the server. */
  #asksForLogin = false

  constructor(channel: Channel, plan: HandshakePlan) {
    this.#channel = channel
    this.#plan = plan
    this.#errors = new HandshakeErrors(plan)
  }

  /** Runs the handshake. Never rejects. The channel is destroyed if it fails. */
  async run(): Promise<HandshakeResult> {
    this.#channel.owner = { onEnd: (end) => this.#onEnd(end) }
    this.#channel.limit(this.#plan.limitMs)
    try {
      const capabilities = await this.#greetAndLogIn()
      if (this.#end) throw this.#end
      this.#channel.unlimit()
      return { capabilities }
    } catch (error) {
      this.abort()
      if (error instanceof HandshakeError) return error
      // TLS options that Node rejects, such as a `ca` that is not a certificate.
      return this.#errors.tls(`TLS cannot be set up: ${(error as Error).message}`, { cause: error })
    }
  }

  /** Aborts the handshake. */
  abort(): void {
    this.#channel.destroy()
    this.#upgrading?.destroy()
  }

  async #greetAndLogIn(): Promise<Capabilities> {
    const { tls } = this.#plan
    let capabilities = await this.#hello()
    if (tls) {
      this.state = 'securing'
      await this.#secure(capabilities, tls)
      this.state = 'greeted'
      capabilities = await this.#hello()
    }
    this.state = 'authenticating'
    await this.#authenticate(capabilities)
    return capabilities
  }

  async #hello(): Promise<Capabilities> {
    const reply = await this.#ask('EHLO [127.0.0.1]')
    if (reply.code === 250) return parseCapabilities(reply)
    if (reply.code < 500 || reply.code > 504) throw this.#errors.refused(reply, 'login', 'EHLO')
    const older = await this.#ask('HELO [127.0.0.1]')
    if (older.code !== 250) throw this.#errors.refused(older, 'login', 'HELO')
    return NO_CAPABILITIES
  }

  async #secure({ keywords }: Capabilities, tls: TlsContext): Promise<void> {
    const missing = (message: string, reply?: Reply) =>
      this.#errors.tls(message, { explanation: 'starttls-missing', ...toFields(reply) })
    if (!keywords.has('STARTTLS')) throw missing('The server does not offer STARTTLS')
    const reply = await this.#ask('STARTTLS')
    if (reply.code >= 400 && reply.code < 500) throw this.#errors.refused(reply, 'tls', 'STARTTLS')
    if (reply.code !== 220) throw missing(`The server refused STARTTLS: ${reply.response}`, reply)
    // Data that came with the reply was sent in plaintext, so a man in the middle could have inserted it.
    if (this.#channel.hasRest) throw this.#errors.protocol('bytes after the reply to STARTTLS', 'tls')
    const raw = this.#channel.release()
    await this.#wait<void>((resolve, reject) => {
      this.#upgrading = startTls(raw, this.#plan.host, tls, (error, secured) => {
        this.#upgrading = undefined
        if (error) reject(this.#errors.ofTls(error))
        else {
          this.#channel.replaceSocket(secured)
          resolve()
        }
      })
    })
  }

  async #authenticate({ mechanisms }: Capabilities): Promise<void> {
    const { authMethod, host } = this.#plan
    const choice = chooseMechanism(mechanisms, this.#plan.tls !== undefined, authMethod)
    if ('refusal' in choice) {
      const fields = { code: 'EAUTH', command: 'AUTH', explanation: 'no-safe-mechanism' }
      throw this.#errors.error(choice.refusal, 'login', fields, 'never')
    }
    const login = await this.#login()
    let reply: Reply
    try {
      reply = await logIn(choice.method, login, host, (line, note) => this.#ask(line, note))
    } catch (error) {
      if (!(error instanceof ChallengeError)) throw error
      throw this.#errors.error(error.message, 'login', { code: 'EAUTH', command: 'AUTH' }, 'never')
    }
    if (reply.code === 235) return
    if (reply.code < 500) throw this.#errors.refused(reply, 'login', `AUTH ${choice.method}`)
    throw this.#errors.loginRefused(choice.method, reply)
  }

  #login(): Promise<Login> {
    return this.#wait((resolve, reject) => {
      const refuse = (cause: unknown) => {
        reject(
          this.#errors.error(
            `No credentials: ${this.#channel.log.redact(toError(cause).message)}`,
            'login',
            { code: 'EAUTH', command: 'AUTH', cause },
            'never',
          ),
        )
      }
      this.#asksForLogin = true
      Promise.resolve()
        .then(() => this.#plan.login())
        .finally(() => {
          this.#asksForLogin = false
        })
        .then(resolve, refuse)
    })
  }

  #ask(line: string, note: string = line): Promise<Reply> {
    return this.#wait((onReply) => this.#channel.ask(`${line}\r\n`, { onReply }, 1, note))
  }

  /**
   * Waits for one thing. If the channel ends meanwhile, the wait is aborted. If it ends after the answer and before the
   * next step, the next step notices, so that a reply that was read still counts.
   */
  #wait<T>(
    start: (resolve: (value: T) => void, reject: (error: HandshakeError) => void) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#end) {
        reject(this.#end)
        return
      }
      this.#breakOff = reject
      start(
        (value) => {
          this.#breakOff = undefined
          resolve(value)
        },
        (error) => {
          this.#breakOff = undefined
          reject(error)
        },
      )
    })
  }

  #onEnd(end: ChannelEnd): void {
    this.#end =
      end.kind === 'late' && this.#asksForLogin
        ? this.#errors.loginMissing()
        : this.#errors.ended(end, this.state === 'securing' ? 'tls' : 'login')
    this.#breakOff?.(this.#end)
  }
}
