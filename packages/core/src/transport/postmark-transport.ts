import { EventEmitter } from 'node:events'
import type { ConnectionGroup } from '../delivery/connection-group.js'
import { createConnectionGroup } from '../delivery/connection-group.js'
import { deliver } from '../delivery/deliver.js'
import type { Route } from '../delivery/route.js'
import type { SendingMail, SentCallback } from '../message/nodemailer-types.js'
import { isSendObserved, type SendEvent, traceSend } from '../problems/diagnostics.js'
import { PostmarkError, problemsError } from '../problems/error.js'
import { explainInMessage } from '../problems/explain-smtp-error.js'
import { UNKNOWN_STREAM } from '../problems/problem.js'
import type { ParsedPostmarkFields } from '../vocabulary/vocabulary.js'
import type { TransportSettings } from './transport-settings.js'

/** How {@link PostmarkTransport.close} ends. */
export interface CloseOptions {
  /** Time for mails under way and in the queue, in milliseconds; what is left then fails. Default: each mail's own deadline. */
  readonly deadlineMs?: number
}

/** A Nodemailer transport that picks the connections by the stream of the mail. */
export class PostmarkTransport extends EventEmitter {
  readonly name = 'postmark-smtp'
  readonly version = '1'
  readonly #settings: TransportSettings
  readonly #groups = new Map<Route, ConnectionGroup>()
  readonly #sending = new Set<Promise<void>>()
  readonly #stops = new Set<(error: Error) => void>()
  #closed: Promise<void> | undefined

  constructor(settings: TransportSettings) {
    super()
    this.#settings = settings
  }

  /** Called by Nodemailer once a mail is compiled. */
  send(mail: SendingMail, done: SentCallback): void {
    const { messageStream } = (mail.data.postmark ?? {}) as ParsedPostmarkFields
    const stream = messageStream ?? undefined
    const { route, onlyStream } = this.#settings.target(stream)
    const refused = this.#closed
      ? new PostmarkError('ERR_POSTMARK_CLOSED', 'The transporter is closed; the mail was not sent.')
      : onlyStream !== undefined && stream !== undefined && stream !== onlyStream
        ? wrongStream(stream, onlyStream)
        : undefined
    if (refused) {
      done(refused)
      return
    }
    const { host } = route
    const event = toEvent(mail, host)
    const work = () => deliver(mail, route, this.#group(route), this.#settings, { stops: this.#stops, event })
    const settle = (report: () => void) => {
      this.#sending.delete(settled)
      if (this.#sending.size === 0 && this.isIdle()) this.emit('idle')
      // Out of the promise: what the caller's callback throws is the caller's.
      process.nextTick(report)
    }
    const settled = traceSend(event, work).then(
      (info) => settle(() => done(null, info)),
      (error: Error) => settle(() => done(explainInMessage(error))),
    )
    this.#sending.add(settled)
  }

  /** Logs in once per host and login that is declared or in use; the error tells of each that failed. */
  verify(callback?: (error: Error | null, success?: true) => void): Promise<true> | undefined {
    const all = this.#verifyAll()
    if (!callback) return all
    all.then(
      (success) => callback(null, success),
      (error: Error) => callback(error),
    )
    return undefined
  }

  async #verifyAll(): Promise<true> {
    const routes = [...new Set([...this.#settings.declared, ...this.#groups.keys()])]
    const results = await Promise.allSettled(routes.map((route) => this.#group(route).verify()))
    const failed = results.flatMap((result, index) => {
      if (result.status === 'fulfilled') return []
      const error = result.reason as Error
      routes[index]!.noteFailure(error, undefined)
      return [{ host: routes[index]!.host, error: explainInMessage(error) }]
    })
    if (failed.length === 0) return true
    const [first] = failed
    if (routes.length === 1) throw first!.error
    const lines = failed.map(({ host, error }) => `\n  - ${host}: ${error.message}`).join('')
    throw Object.assign(first!.error, {
      message: `${failed.length} of ${routes.length} logins failed:${lines}`,
    })
  }

  /** Whether nothing waits and nothing is under way. */
  isIdle(): boolean {
    return [...this.#groups.values()].every((group) => group.isIdle())
  }

  /** Takes no more mails, waits for those that it has, then ends every connection. */
  close(options: CloseOptions = {}): Promise<void> {
    this.#closed ??= this.#drain(options.deadlineMs)
    return this.#closed
  }

  async #drain(deadlineMs: number | undefined): Promise<void> {
    const stopAll = () => {
      const error = () =>
        new PostmarkError('ERR_POSTMARK_CLOSED', 'The transporter was closed, and its deadline is over.')
      for (const stop of this.#stops) stop(error())
    }
    const timer = deadlineMs === undefined ? undefined : setTimeout(stopAll, deadlineMs)
    await Promise.all(this.#sending)
    clearTimeout(timer)
    for (const group of this.#groups.values()) group.close()
  }

  #group(route: Route): ConnectionGroup {
    const { pool, budget } = this.#settings
    const { host, race, redactor } = route
    const plan = { host, race, redactor, login: route.login, settings: this.#settings }
    const group = this.#groups.get(route) ?? createConnectionGroup(plan, pool, budget)
    this.#groups.set(route, group)
    return group
  }
}

function toEvent({ data, message }: SendingMail, host: string): SendEvent {
  const { messageStream, tag } = (data.postmark ?? {}) as ParsedPostmarkFields
  return {
    stream: messageStream ?? undefined,
    tag: tag ?? undefined,
    host,
    // Nodemailer parses all addresses for this: counted only where somebody looks.
    recipientCount: isSendObserved() ? countRecipients(message) : 0,
    attempt: 0,
    port: undefined,
    phase: 'connect',
  }
}

function countRecipients(message: unknown): number {
  return (message as { getEnvelope(): { readonly to: readonly string[] } }).getEnvelope().to.length
}

function wrongStream(stream: string, only: string): PostmarkError {
  return problemsError('ERR_POSTMARK_PREFLIGHT', [
    {
      path: 'messageStream',
      found: `is ${JSON.stringify(stream)}`,
      limit: `the SMTP token is for the stream ${JSON.stringify(only)}`,
      cure: 'Give the stream credentials of its own in `streams`, or use a server token.',
      severity: 'error',
      errorCode: UNKNOWN_STREAM,
    },
  ])
}
