import { EventEmitter } from 'node:events'
import { attachSettings } from '../compile/attach.js'
import { toFailure } from '../compile/failure.js'
import { createLateStep } from '../compile/late-step.js'
import type { MailRecord, MailRegistry } from '../compile/mail-record.js'
import { recordOf } from '../compile/mail-record.js'
import { sealTransport } from '../compile/seal-mail.js'
import { runOutsideScopes } from '../context/outside-scopes.js'
import { Claim } from '../delivery/claim.js'
import { Delivery } from '../delivery/delivery.js'
import { Route } from '../delivery/route.js'
import type { SendingMail, SentCallback } from '../message/nodemailer-types.js'
import { isSendObserved, type SendEvent, traceSend } from '../problems/diagnostics.js'
import { PostmarkError, problemsError } from '../problems/error.js'
import { explainInMessage } from '../problems/explain-smtp-error.js'
import { UNKNOWN_STREAM } from '../problems/problem.js'
import type { RouteTarget } from './stream-routes.js'
import type { TransportSettings } from './transport-settings.js'

/** How {@link PostmarkTransport.close} ends. */
export interface CloseOptions {
  /**
   * Time for mails under way and in the queue, in milliseconds; what is left then fails, and connections are broken off.
   * Default: each mail's own deadline.
   */
  readonly deadlineMs?: number
  /** Whether nothing is waited for: the same as a `deadlineMs` of 0. Default false. */
  readonly force?: boolean
}

let lastId = 0

/** A Nodemailer transport that picks the route by the stream of the mail. */
export class PostmarkTransport extends EventEmitter implements MailRegistry {
  readonly name = 'postmark-smtp'
  readonly version = '1'
  readonly #settings: TransportSettings
  readonly #routes = new Map<RouteTarget, Route>()
  /** The mails that it has, from the call of sendMail to the answer. */
  readonly #mails = new Set<MailRecord>()
  #mailer: object | undefined
  #closing: Closing | undefined
  /** Whether there is room for more mails; as Nodemailer's pool has it, `idle` is emitted when that becomes so. */
  #idling = true

  constructor(settings: TransportSettings) {
    super()
    this.#settings = settings
    sealTransport(this, createLateStep(settings.compile, this))
    setImmediate(() => this.#idling && this.emit('idle')).unref()
  }

  get mailer(): object | undefined {
    return this.#mailer
  }

  /** Set by Nodemailer on the transport of each transporter that it makes: each of them sends with our headers. */
  set mailer(mailer: object) {
    this.#mailer = mailer
    attachSettings(mailer, this.#settings.compile, { ...this.#settings.mail, registry: this })
  }

  /** Counts a mail among those that `close` waits for; returns why it is not taken. */
  enter(record: MailRecord): Error | undefined {
    if (this.#closing) return closedError('The transporter is closed; the mail was not sent.')
    this.#mails.add(record)
    return undefined
  }

  leave(record: MailRecord, error?: unknown): void {
    this.#mails.delete(record)
    // A mail that was handed over has events of its own.
    if (error && !record.handedOver && isSendObserved()) {
      const { event } = this.#open(record, undefined)
      traceSend({ ...event, phase: 'compile' }, () => Promise.reject(error)).catch(() => {})
    }
    if (this.#closing) runOutsideScopes(() => this.#endIfDone())
  }

  /** Called by Nodemailer once a mail is compiled. */
  send(mail: SendingMail, done: SentCallback): void {
    const record = recordOf(mail)
    const { reference } = record?.result ?? {}
    const { event, stream, target, onlyStream } = this.#open(record, mail.message)
    const refused = this.#refuse(stream, onlyStream)
    if (refused) {
      done(refused)
      return
    }
    const report = (error: Error | null, info?: object) => {
      if (record && info) {
        const { attempt: attempts, port, host } = event
        record.route = { host, attempts, ...(port === undefined ? {} : { port }) }
      }
      // Out of the session: what the caller's callback throws is the caller's.
      process.nextTick(done, error, info)
    }
    if (isSendObserved()) {
      const work = () =>
        new Promise<object>((resolve, reject) => {
          runOutsideScopes(this.#deliver, mail, target, event, reference, (error, info) =>
            error ? reject(error) : resolve(info!),
          )
        })
      traceSend(event, work).then(
        (info) => report(null, info),
        (error: Error) => report(error),
      )
    } else runOutsideScopes(this.#deliver, mail, target, event, reference, report)
  }

  /** Where a mail goes, and what is told of it. */
  #open(record: MailRecord | undefined, message: unknown) {
    const fields = record?.result?.fields
    const stream = fields?.messageStream ?? undefined
    const { route: target, onlyStream } = this.#settings.target(stream)
    const event: SendEvent = {
      id: ++lastId,
      stream: stream ?? onlyStream ?? this.#settings.compile.streams?.unnamed ?? 'outbound',
      tag: fields?.tag ?? undefined,
      host: target.host,
      // Nodemailer parses all addresses for this: counted only where somebody looks.
      recipientCount: message && isSendObserved() ? countRecipients(message) : 0,
      attempt: 0,
      port: undefined,
      phase: 'queue',
    }
    return { event, stream, target, onlyStream }
  }

  #deliver = (
    mail: SendingMail,
    target: RouteTarget,
    event: SendEvent,
    reference: string | undefined,
    done: (error: Error | null, info?: object) => void,
  ): void => {
    const route = this.#route(target)
    const { sendOnce } = this.#settings
    let delivery: Delivery
    try {
      const claim = sendOnce && reference !== undefined ? new Claim(sendOnce, reference) : undefined
      delivery = new Delivery(mail, event, route, done, claim)
    } catch (error) {
      done(Object.assign(toFailure(error), { attempts: 0 }))
      return
    }
    // Nodemailer 10 would act on the signal as well, in the middle of ours.
    delete mail.data.signal
    route.add(delivery)
    if (this.#queued >= this.#settings.budget.max) this.#idling = false
  }

  /** Logs in once per host and login that is declared or in use; the error tells of each that failed. */
  verify(callback?: (error: Error | null, success?: true) => void): Promise<true> | undefined {
    const all = runOutsideScopes(() => this.#verifyAll())
    if (!callback) return all
    all.then(
      (success) => callback(null, success),
      (error: Error) => callback(error),
    )
    return undefined
  }

  async #verifyAll(): Promise<true> {
    const targets = [...new Set([...this.#settings.declared, ...this.#routes.keys()])]
    const results = await Promise.allSettled(targets.map((target) => this.#route(target).verify()))
    const failed = results.flatMap((result, index) =>
      result.status === 'fulfilled'
        ? []
        : [{ host: targets[index]!.host, error: explainInMessage(result.reason as Error) }],
    )
    const [first] = failed
    if (!first) return true
    if (targets.length === 1) throw first.error
    const lines = failed.map(({ host, error }) => `\n  - ${host}: ${error.message}`).join('')
    throw Object.assign(first.error, {
      message: `${failed.length} of ${targets.length} logins failed:${lines}`,
    })
  }

  /** Whether there is room for another mail: fewer wait for a session than connections may be open. */
  isIdle(): boolean {
    return this.#idling && !this.#closing
  }

  /**
   * Takes no more mails, waits for those that it has, then ends every connection. A second call may shorten the time
   * that the first one gave.
   */
  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= new Closing()
    const closing = this.#closing
    const deadlineMs = options.force ? 0 : options.deadlineMs
    runOutsideScopes(() => {
      if (deadlineMs !== undefined) closing.within(deadlineMs, () => this.#stopAll())
      this.#endIfDone()
    })
    return closing.ended
  }

  get #queued(): number {
    let queued = 0
    for (const route of this.#routes.values()) queued += route.queued
    return queued
  }

  #refuse(stream: string | undefined, onlyStream: string | undefined): PostmarkError | undefined {
    const { maxQueued } = this.#settings
    if (onlyStream !== undefined && stream !== undefined && stream !== onlyStream)
      return wrongStream(stream, onlyStream)
    if (this.#queued < maxQueued) return undefined
    const found = `${maxQueued} mails wait in the queue, which is what pool.maxQueued allows`
    return new PostmarkError('ERR_POSTMARK_QUEUE_FULL', `The mail was not sent: ${found}.`)
  }

  #route(target: RouteTarget): Route {
    let route = this.#routes.get(target)
    if (!route) {
      route = new Route(target.plan, this.#onTaken)
      this.#routes.set(target, route)
    }
    return route
  }

  #onTaken = (): void => {
    if (this.#idling || this.#queued >= this.#settings.budget.max) return
    this.#idling = true
    if (!this.#closing) process.nextTick(() => this.emit('idle'))
  }

  /** The deadline of `close` is over: no mail is waited for, nor the end of a connection. */
  #stopAll(): void {
    const error = () => closedError('The transporter was closed, and its deadline is over.')
    for (const record of this.#mails) if (!record.handedOver) record.settle(error())
    for (const route of this.#routes.values()) {
      route.stopAll(error)
      void route.close(true)
    }
  }

  #endIfDone(): void {
    if (this.#mails.size > 0 || !this.#closing) return
    this.#closing.end(() => Promise.all([...this.#routes.values()].map((route) => route.close(false))))
  }
}

/** What a timer of Node holds; a longer time is no limit. */
const LONGEST_MS = 2 ** 31 - 1

/** The end of a transport: waiting for mails, then for connections. */
class Closing {
  readonly ended: Promise<void>
  #resolve!: () => void
  #timer: NodeJS.Timeout | undefined
  #at = Number.POSITIVE_INFINITY
  #ending = false

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** Calls `late` after the time, unless an earlier call has set a shorter one, or the end comes first. */
  within(ms: number, late: () => void): void {
    const at = performance.now() + ms
    if (!(at < this.#at) || ms > LONGEST_MS) return
    this.#at = at
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (ms <= 0) late()
    else this.#timer = setTimeout(late, ms)
  }

  end(close: () => Promise<unknown>): void {
    if (this.#ending) return
    this.#ending = true
    void close().then(() => {
      clearTimeout(this.#timer)
      this.#resolve()
    })
  }
}

function closedError(message: string): PostmarkError {
  return new PostmarkError('ERR_POSTMARK_CLOSED', message)
}

function countRecipients(message: unknown): number {
  return (message as { getEnvelope(): { readonly to: readonly string[] } }).getEnvelope().to.length
}

function wrongStream(stream: string, only: string): PostmarkError {
  return problemsError('ERR_POSTMARK_PREFLIGHT', [
    {
      path: 'messageStream',
      found: `is ${JSON.stringify(stream)}`,
      limit: `the stream ${JSON.stringify(only)} of the SMTP token`,
      cure: 'Give the stream credentials of its own in `streams`, or use a server token.',
      severity: 'error',
      errorCode: UNKNOWN_STREAM,
    },
  ])
}
