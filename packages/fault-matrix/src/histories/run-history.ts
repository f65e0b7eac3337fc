import {
  createMemorySendOnce,
  createPostmarkTransport,
  type PostmarkTransporter,
  type SendOnceStore,
} from '@postmark-smtp/core'
import {
  createRandom,
  createScriptedServer,
  installVirtualClock,
  type ScriptedServer,
  type ScriptedSession,
  type Step,
  type StepContext,
  type StepFault,
  type VirtualClock,
} from '@postmark-smtp/testing'
import { judgeDelivery, type Misled } from './delivery-oracle.js'
import type { Action, FaultAct, History } from './history.js'
import { type HistoryMail, sendMail, streamOf, tokenOf } from './history-mail.js'

/** Longer than anything that the transport may wait for. */
const LONG_MS = 3 * 3_600_000
/** A deadline that an email keeps where nothing goes wrong. */
const SOME_TIME_MS = 60_000
/** For the last words of connections that are closed. */
const GRACE_MS = 5000

/** What is answered where whole emails follow one another. */
const OF_WHOLE_MAILS: readonly Step[] = ['dot', 'rset', 'mail', 'rcpt', 'bdat']

/** What came of a history. */
export interface HistoryResult {
  /** Each promise that was broken; empty where all were kept. */
  readonly broken: readonly string[]
  readonly mails: readonly HistoryMail[]
  readonly server: ScriptedServer
  /** How many faults struck. */
  readonly struck: number
  /** What happened when, for a reader. */
  readonly trace: readonly string[]
}

/** Lets a history happen, on a clock of its own and a server in memory. */
export async function runHistory(history: History): Promise<HistoryResult> {
  using clock = installVirtualClock()
  const realRandom = Math.random
  Math.random = createRandom(history.seed)
  const run = new HistoryRun(history, clock)
  process.setUncaughtExceptionCaptureCallback((error) =>
    run.note(`an exception that nobody caught: ${error.stack}`),
  )
  try {
    return await run.perform()
  } finally {
    process.setUncaughtExceptionCaptureCallback(null)
    Math.random = realRandom
  }
}

class HistoryRun {
  readonly #history: History
  readonly #clock: VirtualClock
  readonly #server: ScriptedServer
  readonly #transporter: PostmarkTransporter
  readonly #mails: HistoryMail[] = []
  readonly #armed: { readonly fault: StepFault; skip: number; readonly act: FaultAct }[] = []
  /** The email of each connection, by its MAIL command. */
  readonly #current = new Map<number, string>()
  /** The connections on which replies are out of step with commands. */
  readonly #misled: Misled = { any: new Set(), goAhead: new Set(), verdict: new Set() }
  /** The connections on which the reply to a body was left out. */
  readonly #silent = new Set<number>()
  readonly #trace: string[] = []
  readonly #broken: string[] = []
  #struck = 0
  #closing: Promise<void> | undefined

  constructor(history: History, clock: VirtualClock) {
    this.#history = history
    this.#clock = clock
    this.#server = createScriptedServer(clock, {
      ...history.nature,
      script: (context) => this.#script(context),
      onStep: (step, line, session) => this.#onStep(step, line, session),
    })
    const { routes, places, attempts, baseMs, deadlineMs, limitMs, pipelining, ...others } = history.settings
    const { credentialsMs, storeMs, ...pool } = others
    const login = (route: number) => {
      const credentials = { serverToken: tokenOf(route) }
      return credentialsMs === undefined
        ? credentials
        : { credentials: () => this.#after(credentialsMs, () => credentials) }
    }
    const streams = Array.from({ length: routes }, (_, route) => [streamOf(route), login(route)])
    this.#transporter = createPostmarkTransport({
      ...login(0),
      streams: Object.fromEntries(streams) as Record<string, { serverToken: string }>,
      ...(storeMs === undefined ? {} : { sendOnce: this.#createStore(storeMs) }),
      host: '127.0.0.1',
      allowPlaintext: true,
      getSocket: this.#server.getSocket,
      pipelining,
      pool: { ...pool, maxConnections: places },
      retry: { attempts, baseMs, deadlineMs },
      timeouts: { raceMs: limitMs, replyMs: limitMs, finalMs: limitMs },
    })
  }

  /** A store whose answers take their time. */
  #createStore(ms: number): SendOnceStore {
    const store = createMemorySendOnce()
    return {
      claim: (...args) => this.#after(ms, () => store.claim(...args)),
      renew: (...args) => this.#after(ms, () => store.renew(...args)),
      settle: (...args) => this.#after(ms, () => store.settle(...args)),
      resolve: store.resolve,
      unknowns: store.unknowns,
    }
  }

  #after<T>(ms: number, act: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve) => this.#clock.schedule(ms, () => resolve(act())))
  }

  note(what: string): void {
    this.#broken.push(what)
  }

  async perform(): Promise<HistoryResult> {
    for (const action of this.#history.actions) await this.#perform(action)
    await this.#end()
    this.#checkCalm()
    this.#broken.push(...judgeDelivery(this.#mails, this.#server, this.#misled))
    return {
      broken: this.#broken,
      mails: this.#mails,
      server: this.#server,
      struck: this.#struck,
      trace: this.#trace,
    }
  }

  async #perform(action: Action): Promise<void> {
    switch (action.kind) {
      case 'send':
        this.#send(action)
        break
      case 'wait':
        await this.#clock.advance(action.ms)
        break
      case 'fault':
        this.#armed.push({ ...action })
        break
      case 'abort':
        for (const { aborting } of this.#mails) aborting.abort()
        break
      case 'close':
        this.#close(action.deadlineMs)
    }
  }

  #send({
    count,
    recipients,
    content,
    abortMs,
    ...action
  }: Omit<Extract<Action, { kind: 'send' }>, 'kind'>): void {
    const route = action.route % this.#history.settings.routes
    for (let n = 0; n < count; n++) {
      const id = `m${this.#mails.length}`
      const isKeyed = this.#history.settings.storeMs !== undefined
      const plan = { id, route, content, recipients, isKeyed }
      const mail = sendMail(this.#transporter, plan, this.#clock.nowMs)
      this.#mails.push(mail)
      if (abortMs !== undefined) this.#clock.schedule(abortMs, () => mail.aborting.abort())
    }
    this.#tell(`${count} ${content} emails on route ${route}`)
  }

  #close(deadlineMs: number | undefined): void {
    this.#tell(`close within ${deadlineMs}`)
    this.#closing ??= this.#transporter.close(
      deadlineMs === undefined ? {} : { deadlineMs: Math.max(1, deadlineMs) },
    )
  }

  /** Waits until all is settled, closes, and looks whether anything stays. */
  async #end(): Promise<void> {
    await this.#clock.advanceUntil(() => this.#settled, LONG_MS)
    // A claim that is answered only now is given back.
    await this.#clock.advance(1000 + 2 * (this.#history.settings.storeMs ?? 0))
    if (this.#settled && !this.#closing) this.#checkIdle()
    if (this.#settled && !this.#closing && this.#history.seed % 2 === 0) await this.#probe()
    this.#close(undefined)
    let closed = false
    void this.#closing!.then(() => {
      closed = true
    })
    if (!(await this.#clock.advanceUntil(() => closed, LONG_MS))) this.note('close never settles')
    await this.#clock.advance(GRACE_MS)
    for (const { dueMs, stack } of this.#clock.pending())
      this.note(`a timer stays, due at ${dueMs}: ${stack}`)
    // A getSocket that is slow calls back now: nobody waits for that socket any more.
    await this.#clock.advance(LONG_MS)
    const open = this.#server.openSockets()
    if (open.length > 0) this.note(`${open.length} sockets stay open after close`)
  }

  get #settled(): boolean {
    return this.#mails.every(({ outcome }) => outcome !== undefined)
  }

  /** Whether an email is through in time where nothing goes wrong. */
  get #hasTime(): boolean {
    const { deadlineMs, credentialsMs = 0, limitMs } = this.#history.settings
    return deadlineMs >= SOME_TIME_MS && credentialsMs < limitMs
  }

  /** Whatever went wrong before, once all is quiet an email of each route goes through. */
  async #probe(): Promise<void> {
    this.#armed.length = 0
    await this.#clock.advance(LONG_MS)
    const open = this.#server.openSockets()
    if (open.length > 0) this.note(`${open.length} sockets stay open long after the last email`)
    const { routes } = this.#history.settings
    const first = this.#mails.length
    for (let route = 0; route < routes; route++)
      this.#send({ route, count: 1, recipients: 1, content: 'text', abortMs: undefined })
    await this.#clock.advanceUntil(() => this.#settled, LONG_MS)
    const failed = this.#mails.slice(first).find(({ outcome }) => outcome !== 'sent')
    if (failed && this.#hasTime) this.note(`${failed.id} fails after all is quiet: ${failed.error}`)
    await this.#clock.advance(1000)
  }

  /** With every email settled, nothing may keep the process alive. */
  #checkIdle(): void {
    const sockets = this.#server.openSockets().filter(({ referenced }) => referenced)
    if (sockets.length > 0) this.note(`${sockets.length} idle sockets keep the process alive`)
    for (const { referenced, dueMs, stack } of this.#clock.pending())
      if (referenced) this.note(`an idle timer keeps the process alive until ${dueMs}: ${stack}`)
  }

  /** Where nothing went wrong, every email must have been sent. */
  #checkCalm(): void {
    const { actions } = this.#history
    const isCalm = (action: Action) =>
      action.kind === 'wait' ||
      (action.kind === 'send' && action.content !== 'hanging' && action.abortMs === undefined)
    if (!this.#hasTime || !actions.every(isCalm)) return
    for (const { id, outcome, content, error } of this.#mails)
      if (content !== 'failing' && outcome !== 'sent')
        this.note(`${id} is ${outcome} for no reason: ${error}`)
  }

  #script({ step, connection }: StepContext): StepFault | undefined {
    const index = this.#armed.findIndex(({ fault, skip }) => fault.step === step && skip === 0)
    for (const waiting of this.#armed) if (waiting.fault.step === step && waiting.skip > 0) waiting.skip -= 1
    const [found] = index < 0 ? [] : this.#armed.splice(index, 1)
    if (!found) return undefined
    this.#struck += 1
    const { say = 'usual', extra = '', next, nextMs = 0 } = found.fault
    if (extra !== '' || (say !== 'usual' && typeof say !== 'number')) this.#misled.any.add(connection)
    if (extra.startsWith('354')) this.#misled.goAhead.add(connection)
    if (this.#silent.has(connection) || (/^(250|421)/.test(extra) && nextMs > 0))
      this.#misled.verdict.add(connection)
    if (this.#isShifted(found.fault)) this.#misled.verdict.add(connection)
    if (step === 'dot' && say === 'nothing' && (next === undefined || nextMs > 0))
      this.#silent.add(connection)
    this.#tell(`fault on connection ${connection}: ${JSON.stringify(found.fault)} ${found.act}`)
    const act = () => this.#act(found.act, connection, step)
    return found.act === 'none' ? found.fault : { ...found.fault, act }
  }

  /** Whether a reply is missing, or one too many, so that those to whole emails that follow pass for others. */
  #isShifted({ step, say = 'usual', extra = '', next, nextMs = 0 }: StepFault): boolean {
    if (!this.#history.nature.chunking || !OF_WHOLE_MAILS.includes(step)) return false
    const leaves = next !== undefined && nextMs === 0
    return extra !== '' || (!leaves && say !== 'usual' && typeof say !== 'number')
  }

  #act(act: FaultAct, connection: number, step: Step): void {
    if (act === 'close') this.#close(1)
    if (act === 'throw' && step === 'connect') throw new Error('getSocket throws')
    if (act === 'abort') this.#mails.find(({ id }) => id === this.#current.get(connection))?.aborting.abort()
  }

  #onStep(step: Step, line: string, { index }: ScriptedSession): void {
    this.#tell(`connection ${index}: ${step} ${line}`)
    if (step === 'mail') this.#current.set(index, /<(m\d+)@/.exec(line)?.[1] ?? '')
  }

  #tell(what: string): void {
    this.#trace.push(`${this.#clock.nowMs} ms: ${what}`)
  }
}
