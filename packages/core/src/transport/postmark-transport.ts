import { EventEmitter } from 'node:events'
import { makeTransport } from '../compile/as-transport.js'
import { attachSettings } from '../compile/attach.js'
import { toFailure } from '../compile/failure.js'
import { createLateStep } from '../compile/late-step.js'
import type { MailRecord, MailRegistry } from '../compile/mail-record.js'
import { recordOf } from '../compile/mail-record.js'
import { sealTransport } from '../compile/seal-mail.js'
import { bindHere } from '../context/context.js'
import { runOutsideScopes } from '../context/outside-scopes.js'
import { Claim } from '../delivery/claim.js'
import { prepareMessage } from '../delivery/compose.js'
import { Delivery } from '../delivery/delivery.js'
import { Route } from '../delivery/route.js'
import type { CompilePlugin, MailerLike, SendingMail, SentCallback } from '../message/nodemailer-types.js'
import { isSendObserved, publishCreate, type SendEvent, traceSend } from '../problems/diagnostics.js'
import { type BatchPort, partOf, refuseBatch } from './batch-port.js'
import { type CloseOptions, Closing } from './closing.js'
import { closedError, queueFull, wrongStream } from './refusals.js'
import { createSendEvent, nextMailId } from './send-event.js'
import type { RouteTarget } from './stream-routes.js'
import type { TransportSettings } from './transport-settings.js'
import { verifyRoutes } from './verify-routes.js'

type GivenPlugin = readonly [step: string, plugin: CompilePlugin]

/** A Nodemailer transport that picks the route by the stream of the email. */
export class PostmarkTransport extends EventEmitter implements MailRegistry {
  readonly name = 'postmark-smtp'
  readonly version = '1'
  readonly #settings: TransportSettings
  readonly #routes = new Map<RouteTarget, Route>()
  /** Its emails, from the call of sendMail until it settles. */
  readonly #mails = new Set<MailRecord>()
  #mailer: object | undefined
  readonly #plugins: GivenPlugin[] = []
  #closing: Closing | undefined
  /** Whether there is room for more emails. As in Nodemailer's pool, `idle` is emitted when this becomes true. */
  #idling = true

  constructor(settings: TransportSettings) {
    super()
    this.#settings = settings
    sealTransport(this, createLateStep(settings.compile, this, settings.mail, this.#plugins))
    setImmediate(() => this.#idling && this.emit('idle')).unref()
  }

  get mailer(): object | undefined {
    return this.#mailer
  }

  /** What sendBatch needs from it. */
  get batchPort(): BatchPort {
    const { budget, inFlight, maxQueued, sendOnce } = this.#settings
    return { connections: budget.max, inFlight, maxQueued, hasSendOnce: sendOnce !== undefined }
  }

  /**
   * Set by Nodemailer on the transport of each transporter that it creates. Each of them sends with our headers and
   * with the plugins that the first one has by then, and may be turned into another one.
   */
  set mailer(mailer: object) {
    const onPlugin = this.#mailer ? undefined : (...plugin: GivenPlugin) => this.#plugins.push(plugin)
    this.#mailer = mailer
    const { compile, mail } = this.#settings
    attachSettings(mailer, compile, { ...mail, registry: this, onPlugin })
    makeTransport(mailer, this)
    if (!onPlugin) for (const plugin of this.#plugins) (mailer as MailerLike).use(...plugin)
  }

  /** Adds an email to those that `close` waits for. Returns the reason if it is not accepted. */
  enter(record: MailRecord): Error | undefined {
    if (this.#closing) return closedError('The email was not sent: the transporter is closed.')
    this.#mails.add(record)
    if (isSendObserved()) this.#create(record)
    return undefined
  }

  leave(record: MailRecord, error?: unknown): void {
    this.#mails.delete(record)
    // An email that was handed over has its own events.
    if (error && !record.handedOver && isSendObserved())
      this.#traceRefusal(this.#open(record, undefined).event, error, record)
    if (this.#closing) runOutsideScopes(() => this.#endIfDone())
  }

  /** Called by Nodemailer once an email is compiled. */
  send(mail: SendingMail, done: SentCallback): void {
    const record = recordOf(mail)
    const { reference } = record?.result ?? {}
    const { event, stream, target, onlyStream, type } = this.#open(record, mail.message)
    const refused =
      wrongStream(stream, onlyStream) ??
      // A batch starts no more emails than that, and waits if several batches share the queue.
      (record?.batch ? undefined : queueFull(this.#queued, this.#settings.maxQueued)) ??
      refuseBatch(record, type, event.stream)
    if (refused) {
      if (isSendObserved()) this.#traceRefusal(event, refused, record)
      done(refused)
      return
    }
    // Called outside the session, so that what the caller's callback throws stays the caller's.
    const answer: SentCallback = process.nextTick.bind(process, done)
    const deliver = (end: SentCallback) =>
      runOutsideScopes(this.#deliver, mail, target, event, reference, end)
    // The end is published in the context of the email, so that a log line refers to its request.
    if (isSendObserved()) traceSend(event, startOf(record), (end) => deliver(bindHere(end)), answer)
    else deliver(answer)
  }

  /** Publishes that sendMail was called, still in its context. */
  #create(record: MailRecord): void {
    const id = nextMailId()
    record.eventId = id
    record.calledAt = performance.now()
    const stream = this.#streamOf(record)
    publishCreate({
      id,
      stream: this.#nameStream(stream),
      host: this.#settings.target(stream).route.host,
      addMetadata: (key, value) => {
        // The first value for a key wins.
        record.added = { [key]: value, ...record.added }
      },
    })
  }

  /** Publishes the start and the end of an email that never reached a server. */
  #traceRefusal(event: SendEvent, error: unknown, record: MailRecord | undefined): void {
    const refused: SendEvent = { ...event, phase: 'compile', outcome: 'not-sent' }
    traceSend(
      refused,
      startOf(record),
      (end) => end(error as Error),
      () => {},
    )
  }

  /** Where an email goes, and what is published about it. */
  #open(record: MailRecord | undefined, message: unknown) {
    const { fields, correlationId } = record?.result ?? {}
    const stream = this.#streamOf(record)
    const { route: target, onlyStream, type } = this.#settings.target(stream)
    const named = this.#nameStream(stream)
    const id = record?.eventId ?? nextMailId()
    const event = createSendEvent(id, named, fields?.tag ?? undefined, correlationId, target.host, message)
    return { event, stream, target, onlyStream, type }
  }

  /** The stream that an email names, even if it is not compiled yet or was rejected. */
  #streamOf(record: MailRecord | undefined): string | undefined {
    const fields = record?.result?.fields
    if (fields) return fields.messageStream ?? undefined
    const nearest = record?.nearestStream
    return (nearest === undefined ? this.#settings.compile.defaults.messageStream : nearest) ?? undefined
  }

  /** The destination of an email that names no stream depends on the login. */
  #nameStream(stream: string | undefined): string {
    if (stream !== undefined) return stream
    return (
      this.#settings.target(undefined).onlyStream ?? this.#settings.compile.streams?.unnamed ?? 'outbound'
    )
  }

  #deliver = (
    mail: SendingMail,
    target: RouteTarget,
    event: SendEvent,
    reference: string | undefined,
    done: SentCallback,
  ): void => {
    const route = this.#route(target)
    const { sendOnce } = this.#settings
    let delivery: Delivery
    try {
      const part = partOf(recordOf(mail))
      // Nodemailer keeps the email until it is settled, and thousands may wait.
      if (mail.mailer?.transporter === this) mail.message = prepareMessage(mail.message, part?.body)
      const claim = sendOnce && reference !== undefined ? new Claim(sendOnce, reference) : undefined
      delivery = new Delivery(mail, event, route, done, claim, part)
    } catch (error) {
      done(Object.assign(toFailure(error), { attempts: 0 }))
      return
    }
    // Nodemailer 10 would handle the signal as well, while ours is being handled.
    delete mail.data.signal
    route.add(delivery)
    if (this.#queued >= this.#settings.budget.max) this.#idling = false
  }

  /** Logs in once per host and login that is declared or in use. The error lists every login that failed. */
  verify(callback?: (error: Error | null, success?: true) => void): Promise<true> | undefined {
    const targets = [...new Set([...this.#settings.declared, ...this.#routes.keys()])]
    const all = runOutsideScopes(() => verifyRoutes(targets.map((target) => this.#route(target))))
    if (!callback) return all
    all.then(
      (success) => callback(null, success),
      (error: Error) => callback(error),
    )
    return undefined
  }

  /** Whether there is room for another email: fewer emails wait for a session than connections may be open. */
  isIdle(): boolean {
    return this.#idling && !this.#closing
  }

  /**
   * Stops accepting emails, waits for pending ones, then closes every connection. A second call may shorten the time
   * limit of the first.
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

  /** The deadline of `close` has passed: it no longer waits for emails or connections. */
  #stopAll(): void {
    const error = () => closedError('The transporter was closed and its deadline has passed.')
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

/** When sendMail was called, or now if nobody was listening then. */
function startOf(record: MailRecord | undefined): number {
  return record?.calledAt ?? performance.now()
}
