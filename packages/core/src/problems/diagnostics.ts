/** The events on `node:diagnostics_channel`. No event contains an address, a subject or a secret. */
import { channel, tracingChannel } from 'node:diagnostics_channel'
import type { DeliveryOutcome } from './delivery-outcome.js'
import { isPostmarkError } from './error.js'
import type { PostmarkProblem } from './problem.js'
import type { SendPhase, SmtpFailureFields } from './smtp-failure.js'
import { isObserved, readFailure, toPublicCode, toPublicError } from './tracing.js'

export type { SendPhase } from './smtp-failure.js'

/** The event of `postmark-smtp:create`: sendMail was called. It is published in the context of the caller. */
export interface CreateEvent {
  /** A number that is unique in this process and the same in all events of one email. */
  readonly id: number
  /** The stream that the email goes to, unless a plugin or the headers of a `raw` message name another one. */
  readonly stream: string
  /** The server for emails of that stream. */
  readonly host: string
  /**
   * Adds a metadata entry to the email, unless it already has that key. If there are too many keys, this one is dropped
   * first.
   */
  addMetadata(key: string, value: string): void
}

/** How long a connection took to open. */
export interface Opening {
  /** The start time, in milliseconds since the epoch. */
  readonly startedAt: number
  /** The time until a port greeted. */
  readonly connectMs: number
  /** The time for TLS and login after that. */
  readonly loginMs: number
}

/**
 * The event of the tracing channel `postmark-smtp:send`. The object is the same from start to end.
 * @see https://nodejs.org/api/diagnostics_channel.html#class-tracingchannel
 */
export interface SendEvent {
  /** A number that is unique in this process and the same in all events of one email. */
  readonly id: number
  /** The stream that the email goes to, even if the email names none. */
  readonly stream: string
  readonly tag: string | undefined
  /** The ID that the option `correlationId` added to the email, or the one it already had. */
  readonly correlationId?: string | undefined
  readonly recipientCount: number
  readonly host: string
  /** The number of attempts so far. */
  attempt: number
  port: number | undefined
  phase: SendPhase
  /** The connection of the last attempt, if this email was the first on it. */
  opening?: Opening | undefined
  /**
   * The paths of the problems for which preflight rejected the email.
   * @example ['subject', 'attachments[0].filename']
   */
  paths?: readonly string[]
  /** The size of the message in bytes, once it is sent. */
  size?: number
  /**
   * At the end: `sent`, or what became of the email. `duplicate` if it had already been sent under its idempotency key.
   */
  outcome?: DeliveryOutcome | 'sent' | 'duplicate'
  /** The error code, if the mail was not sent. @example 'ETIMEDOUT' */
  code?: string
  /** The code of the reply that refused the email. @example 451 */
  responseCode?: number
  /** From the call of sendMail to the outcome, in milliseconds. */
  durationMs?: number
}

/** The event of `postmark-smtp:connect`: a port has greeted, and TLS and login have ended, successfully or not. */
export interface ConnectEvent {
  readonly host: string
  readonly port: number
  /** The time until it greeted. */
  readonly durationMs: number
  /** The keywords of its reply to EHLO after TLS. Empty if the login failed. @example ['PIPELINING', 'CHUNKING'] */
  readonly offers: readonly string[]
  /**
   * What the connection uses, as far as it is known at that time: whole emails one after another (`chunking`), the end
   * of one email together with the commands of the next (`grouping`), all commands of an email in one write (`envelope`),
   * or one command at a time (`stepwise`). Undefined if the login failed or if only a login was wanted.
   */
  readonly inUse: 'chunking' | 'grouping' | 'envelope' | 'stepwise' | undefined
}

/**
 * The event of `postmark-smtp:grouping`: from now on, emails share a write with one server of a host, or no longer with
 * any of them.
 */
export interface GroupingEvent {
  readonly host: string
  readonly port: number | undefined
  readonly grouping: 'on' | 'off'
  readonly reason: string
}

/**
 * The event of `postmark-smtp:chunking`: from now on, whole emails follow one another with one server of a host, or no
 * longer with any of them.
 */
export interface ChunkingEvent {
  readonly host: string
  readonly port: number | undefined
  readonly chunking: 'on' | 'off'
  readonly reason: string
}

/** The event of `postmark-smtp:retry`: an attempt failed, and another one follows. */
export interface RetryEvent {
  readonly id: number
  readonly stream: string
  readonly tag: string | undefined
  readonly attempt: number
  readonly outcome: DeliveryOutcome
  readonly code: string | undefined
  readonly responseCode: number | undefined
  readonly pauseMs: number
}

const create = channel('postmark-smtp:create')
const send = tracingChannel<unknown, SendEvent>('postmark-smtp:send')
const connect = channel('postmark-smtp:connect')
const retry = channel('postmark-smtp:retry')
const grouping = channel('postmark-smtp:grouping')
const chunking = channel('postmark-smtp:chunking')
const warning = channel('postmark-smtp:warning')

/** Whether anyone listens to sends. */
export function isSendObserved(): boolean {
  return create.hasSubscribers || isObserved(send)
}

/** Publishes that sendMail was called. */
export function publishCreate(event: CreateEvent): void {
  if (create.hasSubscribers) create.publish(event)
}

/** Settles an email. */
type Answer = (error: Error | null, info?: object) => void

/**
 * Publishes the start and the end of a send, then settles it. Neither the result nor the error itself is part of the
 * event, because both may contain addresses: the event's error has only the codes. Promises are avoided because each
 * costs a microsecond or two if an AsyncLocalStorage is in use.
 * @param startedAt when sendMail was called, on the monotonic clock
 */
export function traceSend(
  event: SendEvent,
  startedAt: number,
  work: (answer: Answer) => void,
  answer: Answer,
): void {
  if (!isObserved(send)) {
    work(answer)
    return
  }
  const end: Answer = (error, info) => {
    event.durationMs = performance.now() - startedAt
    if (error) {
      noteFailure(event, error)
      send.error.publish(Object.assign(event, { error: toPublicError(error) }))
    }
    send.asyncStart.publish(event)
    send.asyncEnd.publish(event)
    answer(error, info)
  }
  send.start.runStores(event, work, undefined, end)
  send.end.publish(event)
}

function noteFailure(event: SendEvent, error: unknown): void {
  const { code, responseCode, outcome } = readFailure(error)
  if (outcome !== undefined) event.outcome = outcome
  if (code !== undefined) event.code = code
  if (responseCode !== undefined) event.responseCode = responseCode
  if (isPostmarkError(error)) event.paths = error.problems.map(({ path }) => withoutAddresses(path))
}

/** A key from the caller, or a value in the wrong place, may be an address. */
function withoutAddresses(text: string): string {
  return text.replace(/[^\s"'<>[\]]+@[^\s"'<>[\]]+/g, '[address]')
}

/** Publishes a greeting. */
export function publishConnect(event: ConnectEvent): void {
  if (connect.hasSubscribers) connect.publish(event)
}

/** Publishes a retry. */
export function publishRetry(
  { id, stream, tag, attempt }: SendEvent,
  error: SmtpFailureFields,
  pauseMs: number,
): void {
  if (!retry.hasSubscribers) return
  const { outcome, responseCode } = error
  const code = toPublicCode(error.code)
  const event: RetryEvent = { id, stream, tag, attempt, outcome, code, responseCode, pauseMs }
  retry.publish(event)
}

/** Publishes that emails share a write from now on, or no longer do so. */
export function publishGrouping(event: GroupingEvent): void {
  if (grouping.hasSubscribers) grouping.publish(event)
}

/** Publishes that whole emails follow one another from now on, or no longer do so. */
export function publishChunking(event: ChunkingEvent): void {
  if (chunking.hasSubscribers) chunking.publish(event)
}

/** Publishes a warning about an email. */
export function publishWarning(problem: PostmarkProblem): void {
  if (!warning.hasSubscribers) return
  const { recipient: _address, ...rest } = problem
  const { path, found } = rest
  warning.publish({ ...rest, path: withoutAddresses(path), found: withoutAddresses(found) })
}
