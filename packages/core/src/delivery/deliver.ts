import type { SendingMail } from '../message/nodemailer-types.js'
import { hasStreamContent } from '../message/stream-content.js'
import type { DeliveryOutcome } from '../problems/delivery-outcome.js'
import { publishRetry, type SendEvent } from '../problems/diagnostics.js'
import { addToMessage } from '../problems/error.js'
import type { Connection } from '../smtp/connection.js'
import type { RetrySettings } from '../transport/transport-options.js'
import type { TransportSettings } from '../transport/transport-settings.js'
import type { AttemptFailure, AttemptResult } from './attempt.js'
import { BodyWatch, startAttempt } from './attempt.js'
import type { ConnectionGroup } from './connection-group.js'
import type { Route } from './route.js'
import type { SendStop } from './send-stop.js'
import { createSendStop } from './send-stop.js'

/** The longest pause between two attempts. */
const LONGEST_PAUSE_MS = 10_000

/** What stands on the error of a mail that was not delivered, as plain data. */
export interface DeliveryFailure {
  outcome: DeliveryOutcome
  /** How often it was tried. */
  attempts: number
  /** Why it was not tried again, where a further attempt might have been expected. */
  notRetried?: string
}

/** What goes along with a delivery. */
export interface DeliveryContext {
  /** Mails to be stopped when `close` has waited long enough; a plain set, since a signal warns of many listeners. */
  readonly stops: Set<(error: Error) => void>
  /** Told how far the mail is. */
  readonly event: SendEvent
}

/**
 * Sends one mail: waits for a connection, tries, and tries again only where no second copy can come of it.
 * @throws the last error, marked with {@link DeliveryFailure}
 */
export async function deliver(
  mail: SendingMail,
  route: Route,
  group: ConnectionGroup,
  settings: TransportSettings,
  { stops, event }: DeliveryContext,
): Promise<object> {
  const { retry, timeLimits } = settings
  const stop = createSendStop(mail.data.signal, stops)
  // Nodemailer 10 would act on the signal as well, in the middle of ours.
  delete mail.data.signal
  const body = new BodyWatch(mail)
  const once = hasStreamContent(mail.data)
  let askedAgain = false
  try {
    for (let attempts = 1; ; attempts++) {
      event.attempt = attempts
      const result = await lend(group, stop, (connection, done) => {
        stop.startClock(retry.deadlineMs)
        stop.onStop = startAttempt(connection, mail, body, timeLimits, event, done)
      })
      event.port = result.port
      if ('info' in result) return addRoute(result.info, route, event)
      const { error, outcome } = result
      if (route.noteFailure(error, result.port) === 'ask-again' && !askedAgain) {
        askedAgain = true
        continue
      }
      const reason = reasonToStop(result, attempts, retry, once && body.touched, route)
      if (reason !== undefined) throw mark(error, result, attempts, reason)
      const pauseMs = Math.random() * Math.min(LONGEST_PAUSE_MS, retry.baseMs * 2 ** (attempts - 1))
      const { code, responseCode } = error as { code?: string; responseCode?: number }
      publishRetry({
        stream: event.stream,
        tag: event.tag,
        attempt: attempts,
        outcome,
        code,
        responseCode,
        pauseMs,
      })
      if (!(await stop.pause(pauseMs))) throw mark(stop.reason ?? error, result, attempts, '')
    }
  } finally {
    stop.end()
  }
}

type Result = AttemptResult & { readonly port: number | undefined }

/** Waits for a connection, and runs an attempt on it. */
function lend(
  group: ConnectionGroup,
  stop: SendStop,
  run: (connection: Connection, done: (result: AttemptResult) => void) => void,
): Promise<Result> {
  return new Promise((resolve) => {
    const refuse = (error: Error) =>
      resolve({ error, outcome: 'not-sent', retryable: false, port: undefined })
    if (stop.reason) {
      refuse(stop.reason)
      return
    }
    const waiting = group.use((connection, giveBack) =>
      run(connection, (result) => {
        stop.onStop = undefined
        resolve({ ...result, port: connection.port })
        giveBack('info' in result)
      }),
    )
    stop.onStop ??= (error) => {
      if (waiting.cancel()) refuse(error)
    }
  })
}

const SPENT =
  'It was not sent again: its content is a stream, which can be read only once. Give text, a Buffer or a path.'

/** Why a failed mail is not tried again, or '' where that needs no word; undefined where it is tried again. */
function reasonToStop(
  failure: AttemptFailure,
  attempts: number,
  retry: RetrySettings,
  spent: boolean,
  route: Route,
): string | undefined {
  const anotherPort = route.canTryAnotherPort(failure.error)
  const riskAccepted = failure.outcome === 'unknown' && retry.unknown
  if (!anotherPort && !riskAccepted && !failure.retryable) return ''
  if (spent) return SPENT
  return anotherPort || attempts < retry.attempts ? undefined : ''
}

function mark(error: Error, { outcome }: AttemptFailure, attempts: number, reason: string): Error {
  const failure: DeliveryFailure = { outcome, attempts, ...(reason ? { notRetried: reason } : {}) }
  if (reason) addToMessage(error, reason)
  return Object.assign(error, failure)
}

function addRoute(info: object, { host }: Route, event: SendEvent): object {
  const { port, attempt: attempts } = event
  event.outcome = 'sent'
  const { messageSize } = info as { messageSize?: number }
  if (messageSize !== undefined) event.size = messageSize
  return Object.assign(info, { postmark: { host, ...(port === undefined ? {} : { port }), attempts } })
}
