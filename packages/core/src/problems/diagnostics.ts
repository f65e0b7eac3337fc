/** What is published on `node:diagnostics_channel`, and who carries it. No event holds an address, a subject or a secret. */
import { channel, tracingChannel } from 'node:diagnostics_channel'
import type { DeliveryOutcome } from './delivery-outcome.js'
import { isPostmarkError } from './error.js'
import type { PostmarkProblem } from './problem.js'
import type { SendPhase, SmtpFailureFields } from './smtp-failure.js'
import { isObserved, readFailure, toPublicCode, toPublicError } from './tracing.js'

export type { SendPhase } from './smtp-failure.js'

/** What `postmark-smtp:create` carries: sendMail was called, in whose context the event is published. */
export interface CreateEvent {
  /** A number of this process's own, the same in all events of one mail. */
  readonly id: number
  /** The stream that the mail goes to, unless a plugin, or the headers of a `raw` message, name another one. */
  readonly stream: string
  /** The server that mails of that stream go to. */
  readonly host: string
  /** Gives the mail a metadata entry, unless it has that key already; where it has too many keys, this one goes first. */
  addMetadata(key: string, value: string): void
}

/** How long a connection took to open. */
export interface Opening {
  /** When it began, in milliseconds since the epoch. */
  readonly startedAt: number
  /** Until a port had greeted. */
  readonly connectMs: number
  /** TLS and the login, from there on. */
  readonly loginMs: number
}

/**
 * What events of the tracing channel `postmark-smtp:send` carry; the object is the same from start to end.
 * @see https://nodejs.org/api/diagnostics_channel.html#class-tracingchannel
 */
export interface SendEvent {
  /** A number of this process's own, the same in all events of one mail. */
  readonly id: number
  /** The stream that the mail goes to, also where it names none. */
  readonly stream: string
  readonly tag: string | undefined
  /** The ID that the option `correlationId` gave the mail, or the one that was there already. */
  readonly correlationId?: string | undefined
  readonly recipientCount: number
  readonly host: string
  /** How often it was tried so far. */
  attempt: number
  port: number | undefined
  phase: SendPhase
  /** The connection of the last attempt, where this mail was the first that it carried. */
  opening?: Opening | undefined
  /** What preflight refused the mail for. @example ['subject', 'attachments[0].filename'] */
  paths?: readonly string[]
  /** Bytes of the message, once it is sent. */
  size?: number
  /** `sent` at the end, or what became of it; `duplicate` where it had been sent before under its idempotency key. */
  outcome?: DeliveryOutcome | 'sent' | 'duplicate'
  /** The code of the error of a mail that was not sent. @example 'ETIMEDOUT' */
  code?: string
  /** The code of the reply that refused it. @example 451 */
  responseCode?: number
  /** From the call of sendMail to the outcome, in milliseconds. */
  durationMs?: number
}

/** What `postmark-smtp:connect` carries: a port has greeted, and TLS and the login have ended in one way or another. */
export interface ConnectEvent {
  readonly host: string
  readonly port: number
  /** Until it greeted. */
  readonly durationMs: number
  /** The keywords of its reply to EHLO after TLS; none where the login failed. @example ['PIPELINING', 'CHUNKING'] */
  readonly offers: readonly string[]
  /**
   * What is in use of that, as far as it is learned by then: whole mails that follow one another (`chunking`), the end of
   * one mail with the commands of the next (`grouping`), the commands of one mail in one write (`envelope`), or one command
   * at a time (`stepwise`). Undefined where the login failed, or was all that was wanted.
   */
  readonly inUse: 'chunking' | 'grouping' | 'envelope' | 'stepwise' | undefined
}

/** What `postmark-smtp:grouping` carries: mails share a write from now on with one server of a host, or with none of them any more. */
export interface GroupingEvent {
  readonly host: string
  readonly port: number | undefined
  readonly grouping: 'on' | 'off'
  readonly reason: string
}

/** What `postmark-smtp:chunking` carries: whole mails follow one another from now on with one server of a host, or with none of them any more. */
export interface ChunkingEvent {
  readonly host: string
  readonly port: number | undefined
  readonly chunking: 'on' | 'off'
  readonly reason: string
}

/** What `postmark-smtp:retry` carries: an attempt failed, and another follows. */
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

/** Whether anybody listens to sends. */
export function isSendObserved(): boolean {
  return create.hasSubscribers || isObserved(send)
}

/** Publishes that sendMail was called. */
export function publishCreate(event: CreateEvent): void {
  if (create.hasSubscribers) create.publish(event)
}

/** Answers for a mail. */
type Answer = (error: Error | null, info?: object) => void

/**
 * Publishes the start and the end of a send, and answers after that. Neither the result nor the error itself goes into
 * the event, since both may hold addresses: the event's error has only the codes. Without promises, each of which costs
 * a microsecond or two where an AsyncLocalStorage is in use.
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

/** A key of the caller's, or a value that was found in the wrong place, may be an address. */
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

/** Publishes that mails share a write from now on, or no longer do. */
export function publishGrouping(event: GroupingEvent): void {
  if (grouping.hasSubscribers) grouping.publish(event)
}

/** Publishes that whole mails follow one another from now on, or no longer do. */
export function publishChunking(event: ChunkingEvent): void {
  if (chunking.hasSubscribers) chunking.publish(event)
}

/** Publishes a warning of a mail. */
export function publishWarning(problem: PostmarkProblem): void {
  if (!warning.hasSubscribers) return
  const { recipient: _address, ...rest } = problem
  const { path, found } = rest
  warning.publish({ ...rest, path: withoutAddresses(path), found: withoutAddresses(found) })
}
