import { BodyReader } from './body-reader.js'
import { ScriptedVoice } from './scripted-voice.js'
import { ScriptedWire } from './scripted-wire.js'
import type { SessionHost } from './session-host.js'
import type { Step, StepFault } from './step-fault.js'

/** RFC 2920 §3.1: nothing may follow these before their reply. */
const LAST_OF_A_GROUP = ['the greeting', 'EHLO', 'AUTH', 'DATA', 'QUIT']
const CHALLENGE = Buffer.from('<1.2@scripted>').toString('base64')
const OUT_OF_ORDER = '503 5.5.1 Error: bad sequence of commands'

/** The SMTP of one connection. */
export class ScriptedSession {
  readonly index: number
  readonly wire: ScriptedWire
  /** The user who logged in. */
  user: string | undefined
  /** The number of emails that were begun. */
  mails = 0
  readonly #host: SessionHost
  readonly #voice: ScriptedVoice
  #unread: Buffer = Buffer.alloc(0)
  #mode: 'commands' | 'proof' | 'body' | 'chunk' = 'commands'
  #last = 'the greeting'
  #body = new BodyReader()
  #bodyFault: StepFault | undefined
  /** Whether the reply to the body was sent before the end of the body. */
  #answered = false
  #from: string | undefined
  #to: string[] = []
  /** The chunk that is being read, and those of the same email before it. */
  #chunk = { line: '', bytes: 0, isLast: false }
  #chunks: Buffer[] = []

  constructor(index: number, host: SessionHost) {
    this.index = index
    this.#host = host
    this.wire = new ScriptedWire(host.clock, host.nature.latencyMs, (bytes) => {
      this.#unread = Buffer.concat([this.#unread, bytes])
      this.#read()
    })
    this.#voice = new ScriptedVoice(
      this.wire,
      () => this.#read(),
      () => this.#mode === 'body' || (this.#last === 'the body' && this.#voice.thinking),
    )
  }

  /** Sends the greeting. */
  begin(): void {
    this.#answer('greeting', '', '220 scripted ESMTP')
  }

  #read(): void {
    while (!this.#voice.thinking && this.wire.serving && this.#unread.length > 0) {
      if (this.#mode === 'body') {
        this.#checkTurn('a body')
        this.#readBody()
        continue
      }
      if (this.#mode === 'chunk') {
        if (this.#unread.length < this.#chunk.bytes) return
        this.#endChunk()
        continue
      }
      const end = this.#unread.indexOf('\n')
      if (end < 0) return
      const line = this.#unread.subarray(0, end).toString('latin1')
      this.#unread = this.#unread.subarray(end + 1)
      if (!line.endsWith('\r')) this.#host.violated(`${line} ends in a bare LF`)
      this.#obey(line.slice(0, -1))
    }
  }

  #checkTurn(what: string): void {
    const { owed, struck } = this.#voice
    if (owed === 0 || struck) return
    if (!this.#host.nature.pipelining || LAST_OF_A_GROUP.includes(this.#last))
      this.#host.violated(`${what} before the reply to ${this.#last}`)
  }

  #obey(line: string): void {
    this.#checkTurn(line)
    if (this.#mode === 'proof') {
      this.#prove(line)
      return
    }
    const verb = line.split(/[ :]/, 1)[0]!.toUpperCase()
    this.#last = verb
    const obey = this.#verbs[verb]
    if (obey) obey(line)
    else {
      if (!this.#voice.struck) this.#host.violated(`an unknown command: ${line.slice(0, 80)}`)
      this.#voice.answer('502 5.5.2 Error: command not recognized', 0, undefined, () => {})
    }
  }

  readonly #verbs: Readonly<Record<string, (line: string) => void>> = {
    EHLO: (line) => {
      this.#forget()
      this.#answer('ehlo', line, this.#offer())
    },
    AUTH: (line) =>
      this.#answer('auth', line, `334 ${CHALLENGE}`, (code) => {
        if (code === 334) this.#mode = 'proof'
      }),
    MAIL: (line) => this.#mail(line),
    RCPT: (line) => this.#rcpt(line),
    DATA: (line) => this.#data(line),
    BDAT: (line) => this.#bdat(line),
    RSET: (line) => {
      this.#forget()
      this.#answer('rset', line, '250 2.0.0 Ok')
    },
    QUIT: (line) => this.#quit(line),
  }

  #quit(line: string): void {
    this.#host.noted('quit', line)
    const usual = { step: 'quit', next: 'end' } as const
    this.#voice.answer('221 2.0.0 Bye', 0, { ...usual, ...this.#ask('quit', line) }, () => {})
  }

  #offer(): string {
    const { pipelining, chunking } = this.#host.nature
    const words = [
      ...(pipelining ? ['PIPELINING'] : []),
      ...(chunking ? ['CHUNKING'] : []),
      'AUTH CRAM-MD5',
      '8BITMIME',
    ]
    return ['250-scripted', ...words.map((word) => `250-${word}`), '250 SIZE 10485760'].join('\r\n')
  }

  #prove(line: string): void {
    this.#mode = 'commands'
    const [user] = Buffer.from(line, 'base64').toString().split(' ')
    this.#answer('proof', '', '235 2.7.0 Authentication successful', (code) => {
      if (code === 235) this.user = user
    })
  }

  #mail(line: string): void {
    this.mails += 1
    const usual =
      this.user === undefined
        ? '530 5.7.0 Error: authentication required'
        : this.#from === undefined
          ? '250 2.1.0 Ok'
          : OUT_OF_ORDER
    this.#answer('mail', line, usual, (code) => {
      if (isOk(code)) this.#from = toAddress(line)
    })
  }

  #rcpt(line: string): void {
    this.#answer('rcpt', line, this.#from === undefined ? OUT_OF_ORDER : '250 2.1.5 Ok', (code) => {
      if (isOk(code)) this.#to.push(toAddress(line))
    })
  }

  #data(line: string): void {
    const usual =
      this.#from === undefined
        ? OUT_OF_ORDER
        : this.#to.length === 0
          ? '554 5.5.1 Error: no valid recipients'
          : '354 End data with <CR><LF>.<CR><LF>'
    this.#answer('data', line, usual, (code) => {
      if (code !== 354) return
      this.#mode = 'body'
      this.#body = new BodyReader()
      this.#bodyFault = this.#ask('body', line)
      this.#answered = false
    })
  }

  #readBody(): void {
    const rest = this.#body.take(this.#unread)
    this.#unread = rest ?? Buffer.alloc(0)
    const fault = this.#bodyFault
    if (!fault || this.#body.bytes < (fault.afterBytes ?? 1)) {
      if (rest) this.#endBody()
      return
    }
    this.#bodyFault = undefined
    this.#answered = fault.say !== undefined && fault.say !== 'usual'
    this.#voice.interrupt(fault, () => {
      if (rest && this.wire.serving) this.#endBody()
    })
  }

  #endBody(): void {
    this.#mode = 'commands'
    this.#last = 'the body'
    const { afterBody, keepsEnvelope, mailMs } = this.#host.nature
    if (this.#answered) {
      this.#forget()
      return
    }
    const followers = afterBody === 'answered' ? [] : this.#dropLines()
    const refusals = afterBody === 'refused' ? followers.map(() => `\r\n${OUT_OF_ORDER}`).join('') : ''
    const fault = this.#ask('dot', '')
    const mail = { raw: this.#body.read(), from: this.#from ?? '', to: this.#to }
    this.#host.noted('dot', '')
    this.#voice.answer(`250 2.0.0 Ok: queued${refusals}`, mailMs, fault, (code) => {
      const taken = fault?.accepted ?? (code === 250 || fault?.say === 'half' || fault?.say === 'nothing')
      const { index: connection, user } = this
      if (taken) this.#host.took({ ...mail, connection, user, atMs: this.#host.clock.nowMs })
      if (taken || !keepsEnvelope) this.#forget()
    })
  }

  #bdat(line: string): void {
    const { chunking } = this.#host.nature
    const [, count = '', last] = /^BDAT (\d+)( LAST)?$/.exec(line) ?? []
    if (!chunking || count === '') this.#host.violated(`${line} is no chunk that the server offers to take`)
    const isLeaking = chunking === 'leaky' && this.#to.length === 0
    if (chunking === true || (chunking === 'leaky' && !isLeaking)) {
      this.#mode = 'chunk'
      this.#chunk = { line, bytes: Number(count), isLast: last !== undefined }
      return
    }
    // From here on the client does not send commands, even if they look like commands.
    this.#voice.struck = true
    this.#answer('bdat', line, OUT_OF_ORDER)
  }

  #endChunk(): void {
    const { line, bytes, isLast } = this.#chunk
    this.#mode = 'commands'
    this.#last = 'BDAT'
    this.#chunks.push(this.#unread.subarray(0, bytes))
    this.#unread = this.#unread.subarray(bytes)
    const isReady = this.#from !== undefined && this.#to.length > 0
    const { afterBody, keepsEnvelope, mailMs } = this.#host.nature
    const followers = afterBody === 'answered' || !isLast ? [] : this.#dropLines()
    const refusals = afterBody === 'refused' ? followers.map(() => `\r\n${OUT_OF_ORDER}`).join('') : ''
    const fault = this.#ask('bdat', line)
    const usual = isReady ? `250 2.0.0 Ok: ${isLast ? 'queued' : `${bytes} bytes`}` : OUT_OF_ORDER
    const mail = { raw: Buffer.concat(this.#chunks), from: this.#from ?? '', to: this.#to }
    this.#host.noted('bdat', line)
    this.#voice.answer(`${usual}${refusals}`, isLast && isReady ? mailMs : 0, fault, (code) => {
      const saysYes = code === 250 || fault?.say === 'half' || fault?.say === 'nothing'
      const isTaken = isReady && (fault?.accepted ?? saysYes)
      const { index: connection, user } = this
      if (isTaken && !isLast) return
      this.#chunks = []
      if (isTaken) this.#host.took({ ...mail, connection, user, atMs: this.#host.clock.nowMs })
      if (isTaken || !keepsEnvelope) this.#forget()
    })
  }

  /** Reads and ignores the lines that arrived in one write with the end of a body. */
  #dropLines(): readonly string[] {
    const lines = this.#unread.toString('latin1').split('\r\n').slice(0, -1)
    this.#unread = Buffer.alloc(0)
    return lines
  }

  #forget(): void {
    this.#from = undefined
    this.#to = []
    this.#chunks = []
  }

  #ask(step: Step, line: string): StepFault | undefined {
    return this.#host.script({ step, line, connection: this.index, mail: this.mails - 1, user: this.user })
  }

  #answer(step: Step, line: string, usual: string, effect: (code: number) => void = () => {}): void {
    this.#host.noted(step, line)
    this.#voice.answer(usual, 0, this.#ask(step, line), effect)
  }
}

const isOk = (code: number) => code >= 200 && code < 300
const toAddress = (line: string) => /<([^>]*)>/.exec(line)?.[1] ?? ''
