import type { SessionHost } from './fault-host.js'
import type { FaultPlan } from './fault-script.js'
import type { FaultVoice } from './fault-voice.js'
import type { FaultWire } from './fault-wire.js'

/** One SMTP session of the server's, with the faults of its plan. */
export class FaultSession {
  readonly #wire: FaultWire
  readonly #plan: FaultPlan
  readonly #voice: FaultVoice
  readonly #host: SessionHost
  #secure = false
  #from: string | undefined
  #to: string[] = []
  #recipients = 0

  constructor(wire: FaultWire, plan: FaultPlan, voice: FaultVoice, host: SessionHost) {
    this.#wire = wire
    this.#plan = plan
    this.#voice = voice
    this.#host = host
  }

  /** Serves until the client has gone. */
  async run(): Promise<void> {
    await this.#voice.say('connect')
    if (!this.#voice.mute) await this.#voice.say('greeting', ['220 localhost ESMTP'])
    for (;;) {
      const line = await this.#hear()
      if (line === undefined) return
      if (!this.#voice.mute) await this.#obey(line)
    }
  }

  async #hear(): Promise<string | undefined> {
    const line = await this.#wire.readLine()
    if (line !== undefined) this.#host.heard(line)
    return line
  }

  async #obey(line: string): Promise<unknown> {
    switch (line.split(' ', 1)[0]!.toUpperCase()) {
      case 'EHLO':
        return this.#voice.say(this.#secure ? 'ehlo-tls' : 'ehlo', this.#offer())
      case 'HELO':
        return this.#voice.say(this.#secure ? 'ehlo-tls' : 'ehlo', ['250 localhost'])
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
    const { mechanisms } = this.#host
    const startTls = !this.#secure && this.#plan.peek('starttls')?.kind !== 'missing'
    const lines = ['250-localhost', '250-PIPELINING', '250-SIZE 20480000']
    if (startTls) lines.push('250-STARTTLS')
    if (mechanisms.length > 0) lines.push(`250-AUTH ${mechanisms.join(' ')}`)
    return [...lines, '250 8BITMIME']
  }

  async #startTls(): Promise<void> {
    if (this.#secure) return void this.#voice.reply('503 5.5.1 Error: TLS already active')
    if ((await this.#voice.say('starttls', ['220 2.0.0 Ready to start TLS'])) !== 220) return
    const fault = this.#plan.peek('tls')
    const other = fault?.kind === 'certificate'
    if (other) this.#voice.strike('tls')
    // Any other fault answers the client's first bytes: said earlier, it would still be said in clear.
    else if (fault && fault.kind !== 'delay') await this.#wire.waitForBody(1)
    // What the client says then is no SMTP: it is read, and not taken for commands.
    if (!other && (await this.#voice.say('tls')) !== undefined) return this.#wire.discard()
    this.#secure = await this.#wire.startTls(other ? this.#host.otherCertificate : this.#host.certificate)
    if (this.#secure) this.#host.secured()
  }

  async #logIn(line: string): Promise<void> {
    const lines = [line]
    for (const challenge of challengesOf(line)) {
      this.#voice.reply(`334 ${Buffer.from(challenge).toString('base64')}`)
      lines.push((await this.#hear()) ?? '')
    }
    await this.#voice.say('auth', ['235 2.7.0 Authentication successful'], { login: lines.join(' ') })
  }

  async #mail(line: string): Promise<void> {
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
    const raw = early === 'over' ? undefined : await this.#wire.readBody()
    if (raw === undefined) return
    const takes = early !== 'answered' && this.#plan.takesMail()
    const reply = takes ? this.#host.accept(raw, { from: this.#from!, to: this.#to }) : '554 5.3.0 Error'
    this.#forget()
    if (early !== 'answered') await this.#voice.say('dot', [reply])
    if (!this.#voice.mute) await this.#voice.say('after')
  }

  /** Lets a fault strike inside the body, where there is one and the body is that long. */
  async #midBody(): Promise<'over' | 'answered' | undefined> {
    const fault = this.#plan.peek('body')
    if (fault === undefined || !(await this.#wire.waitForBody(fault.afterBytes ?? 1))) return undefined
    await this.#voice.say('body')
    if (fault.kind === 'reply' && !this.#voice.mute) return 'answered'
    if (!this.#voice.mute) return undefined
    // What still comes is a body, and not taken for commands.
    await (fault.kind === 'stall' ? this.#wire.hold() : this.#wire.discard())
    return 'over'
  }

  #forget(): void {
    this.#from = undefined
    this.#to = []
    this.#recipients = 0
  }
}

/** What is asked of the client after an AUTH command. */
function challengesOf(line: string): string[] {
  const [, method = '', initial] = line.split(' ')
  if (method === 'CRAM-MD5') return ['<1.2@localhost>']
  const asked = method === 'LOGIN' ? ['Username:', 'Password:'] : ['']
  return initial === undefined ? asked : asked.slice(1)
}

const isOk = (code: number | undefined) => code !== undefined && code >= 200 && code < 300
const toAddress = (line: string) => /<([^>]*)>/.exec(line)?.[1] ?? ''
