import type { Socket } from 'node:net'
import { unknownCertificate } from '../certificate.js'
import { HOST_NAME, SIZE_LIMIT } from '../greeting.js'
import { challengesOf, readLogin } from './fault-login.js'
import type { FaultPlan } from './fault-script.js'
import { FaultVoice } from './fault-voice.js'
import { FaultWire } from './fault-wire.js'
import type { SessionServer } from './session-server.js'

/** One SMTP session of the server, with the faults of its plan. */
export class FaultSession {
  readonly #wire: FaultWire
  readonly #plan: FaultPlan
  readonly #voice: FaultVoice
  readonly #server: SessionServer
  #secure = false
  /** Whether STARTTLS is not offered, and refused. */
  #hidesTls = false
  #loggedIn = false
  #from: string | undefined
  #to: string[] = []
  #recipients = 0

  constructor(socket: Socket, plan: FaultPlan, server: SessionServer) {
    this.#wire = new FaultWire(socket)
    this.#plan = plan
    this.#voice = new FaultVoice(this.#wire, plan, (fault) => server.struck?.(fault))
    this.#server = server
  }

  /** Hangs up if the client has logged in and is between two emails. Returns whether it did. */
  endIfIdle(): boolean {
    const idle = this.#loggedIn && this.#from === undefined && !this.#voice.mute
    if (idle) this.#wire.hangUp()
    return idle
  }

  /** Serves until the client has gone. */
  async run(): Promise<void> {
    await this.#voice.say('connect')
    if (!this.#voice.mute) await this.#voice.say('greeting', [`220 ${HOST_NAME} ESMTP`])
    for (;;) {
      const line = await this.#hear()
      if (line === undefined) return
      if (!this.#voice.mute) await this.#obey(line)
    }
  }

  async #hear(): Promise<string | undefined> {
    const line = await this.#wire.readLine()
    if (line !== undefined) this.#server.heard?.(line)
    return line
  }

  async #obey(line: string): Promise<unknown> {
    switch (line.split(' ', 1)[0]!.toUpperCase()) {
      case 'EHLO':
        return this.#voice.say(this.#secure ? 'ehlo-tls' : 'ehlo', this.#offer())
      case 'HELO':
        return this.#voice.say(this.#secure ? 'ehlo-tls' : 'ehlo', [`250 ${HOST_NAME}`])
      case 'STARTTLS':
        return this.#startTls()
      case 'AUTH':
        return this.#logIn(line)
      case 'MAIL':
        return this.#mail(line)
      case 'RCPT':
        return this.#rcpt(line)
      case 'DATA':
        return this.#data()
      case 'RSET':
        this.#forget()
        return this.#voice.reply('250 2.0.0 Ok')
      case 'NOOP':
        return this.#voice.reply('250 2.0.0 Ok')
      case 'QUIT':
        return this.#voice.end('221 2.0.0 Bye')
      default:
        return this.#voice.reply('502 5.5.2 Error: command not recognized')
    }
  }

  #offer(): string[] {
    const { mechanisms } = this.#server
    // The fault strikes here, because a client that is not offered STARTTLS does not ask for it.
    if (!this.#secure && this.#plan.peek('starttls')?.kind === 'missing') {
      this.#voice.strike('starttls')
      this.#hidesTls = true
    }
    const words = ['PIPELINING', '8BITMIME', 'DSN']
    if (mechanisms.length > 0) words.push(`AUTH ${mechanisms.join(' ')}`)
    if (!this.#secure && !this.#hidesTls) words.push('STARTTLS')
    return [HOST_NAME, ...words].map((word) => `250-${word}`).concat(`250 SIZE ${SIZE_LIMIT}`)
  }

  async #startTls(): Promise<void> {
    if (this.#secure) return void this.#voice.reply('503 5.5.1 Error: TLS already active')
    if (this.#hidesTls) return void this.#voice.reply('502 5.5.1 Error: command not implemented')
    if ((await this.#voice.say('starttls', ['220 2.0.0 Ready to start TLS'])) !== 220) return
    const fault = this.#plan.peek('tls')
    const other = fault?.kind === 'certificate'
    if (other) this.#voice.strike('tls')
    // Any other fault answers the client's first bytes. An earlier answer would still be in clear.
    else if (fault && fault.kind !== 'delay') await this.#wire.waitForBody(1)
    // What the client sends then is not SMTP. It is read, but not as commands.
    if (!other && (await this.#voice.say('tls')) !== undefined) return this.#wire.discard()
    this.#secure = await this.#wire.startTls(other ? await unknownCertificate() : this.#server.certificate)
    this.#loggedIn = false
    if (this.#secure) this.#server.secured()
  }

  async #logIn(command: string): Promise<void> {
    const challenges = challengesOf(command)
    if (!challenges) return void this.#voice.reply('504 5.5.4 Error: unrecognized authentication type')
    const answers: string[] = []
    for (const challenge of challenges) {
      this.#voice.reply(`334 ${Buffer.from(challenge).toString('base64')}`)
      answers.push((await this.#hear()) ?? '')
    }
    const usual = this.#server.logIn(readLogin(command, answers))
      ? '235 2.7.0 Authentication successful'
      : '535 5.7.8 Error: authentication failed: '
    const login = [command, ...answers].join(' ')
    if ((await this.#voice.say('auth', [usual], { login })) === 235) this.#loggedIn = true
  }

  async #mail(line: string): Promise<void> {
    if (this.#server.wantsLogin && !this.#loggedIn)
      return void this.#voice.reply('530 5.7.0 Error: authentication required')
    this.#forget()
    this.#plan.nextMail()
    if (isOk(await this.#voice.say('mail', ['250 2.1.0 Ok']))) this.#from = toAddress(line)
  }

  async #rcpt(line: string): Promise<void> {
    if (this.#from === undefined) return void this.#voice.reply('503 5.5.1 Error: need MAIL command')
    const code = await this.#voice.say('rcpt', ['250 2.1.5 Ok'], { recipient: this.#recipients++ })
    if (isOk(code)) this.#to.push(toAddress(line))
  }

  async #data(): Promise<void> {
    if (this.#to.length === 0) return void this.#voice.reply('554 5.5.1 Error: no valid recipients')
    if ((await this.#voice.say('data', ['354 End data with <CR><LF>.<CR><LF>'])) !== 354) return
    const early = await this.#midBody()
    const raw = early === 'over' ? undefined : await this.#wire.readBody(this.#server.maxBytes)
    if (raw === undefined) return
    const takes = early !== 'answered' && this.#plan.takesMail()
    const reply = takes ? this.#server.accept(raw, { from: this.#from!, to: this.#to }) : '554 5.3.0 Error'
    this.#forget()
    if (early !== 'answered') await this.#voice.say('dot', [reply])
    if (!this.#voice.mute) await this.#voice.say('after')
  }

  /** Makes a fault strike inside the body, if there is one and the body is long enough. */
  async #midBody(): Promise<'over' | 'answered' | undefined> {
    const fault = this.#plan.peek('body')
    if (fault === undefined || !(await this.#wire.waitForBody(fault.afterBytes ?? 1))) return undefined
    await this.#voice.say('body')
    if (fault.kind === 'reply' && !this.#voice.mute) return 'answered'
    if (!this.#voice.mute) return undefined
    // What still comes is a body, and is not read as commands.
    await (fault.kind === 'stall' ? this.#wire.hold() : this.#wire.discard())
    return 'over'
  }

  #forget(): void {
    this.#from = undefined
    this.#to = []
    this.#recipients = 0
  }
}

const isOk = (code: number | undefined) => code !== undefined && code >= 200 && code < 300
const toAddress = (line: string) => /<([^>]*)>/.exec(line)?.[1] ?? ''
