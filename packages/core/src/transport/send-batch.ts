import { bindHere } from '../context/context.js'
import { isAbortSignal } from '../delivery/follow-signal.js'
import { optionError, refuseUnknown } from '../problems/check-options.js'
import { PostmarkError } from '../problems/error.js'
import { BatchContent } from './batch-content.js'
import type { BatchMessage, BatchOptions, BatchResult } from './batch-options.js'
import { concernsAll } from './batch-outcome.js'
import { BatchPace } from './batch-pace.js'
import { type BatchPort, findPort } from './batch-port.js'
import { BatchRun } from './batch-run.js'
import { BatchTally } from './batch-tally.js'
import type { PostmarkTransporter } from './create-transport.js'

const OPTIONS = [
  ...['message', 'concurrency', 'perSecond', 'sendOnce', 'suppressed', 'allowTransactional', 'signal'],
  ...['onProgress', 'total', 'stopOn'],
]

/**
 * Sends one email for each message of a list, a stream or a cursor, as fast as the transporter's connections allow, and
 * yields each result as soon as it is known. Messages are taken only as fast as emails are sent and results are read,
 * and nothing is kept, so memory use does not grow with the list. Shared content is composed once. Nothing is sent
 * before you ask for the first result. After `break`, emails in progress are finished and the source is closed.
 * @param transporter a transporter from `createPostmarkTransport`
 * @param messages what differs for each email
 * @example
 * for await (const result of sendBatch(transporter, subscribers, { message: { from, subject, html, text } }))
 *   if ('error' in result) console.log(result.to, result.outcome, result.error.message)
 * @throws PostmarkError ERR_POSTMARK_OPTIONS and ERR_POSTMARK_TRANSPORT immediately; while iterating
 * ERR_POSTMARK_BATCH, the signal's reason, or what the source or a callback throws, in each case after the results of
 * the emails that were taken
 * @see docs/bulk.md
 */
export function sendBatch(
  transporter: PostmarkTransporter,
  messages: Iterable<BatchMessage> | AsyncIterable<BatchMessage>,
  options: BatchOptions = {},
): AsyncGenerator<BatchResult, void, undefined> {
  refuseUnknown(options, OPTIONS)
  const port = findPort(transporter)
  if (!port) {
    const hint = 'Create the transporter with createPostmarkTransport.'
    throw new PostmarkError('ERR_POSTMARK_TRANSPORT', `sendBatch cannot use this transporter. ${hint}`, {
      hint,
    })
  }
  if (!isIterable(messages))
    throw optionError('messages', messages, 'an iterable or async iterable of messages')
  checkFunctions(options)
  const { concurrency, perSecond, sendOnce = false, signal, allowTransactional = false } = options
  if (allowTransactional !== true && allowTransactional !== false)
    throw optionError('allowTransactional', allowTransactional, 'true or false')
  if (options.suppressed !== undefined && options.suppressed !== 'skip')
    throw optionError('suppressed', options.suppressed, '"skip"')
  if (sendOnce !== false && !port.hasSendOnce) {
    const hint = 'Pass createPostmarkTransport a store as `sendOnce`.'
    throw optionError('sendOnce', sendOnce, 'omitted if the transporter has no send-once store', hint)
  }
  const wanted = readNumber('concurrency', concurrency, true) ?? defaultConcurrency(port)
  // Beyond that, the transporter rejects emails.
  const most = Math.min(wanted, port.maxQueued)
  const rate = readNumber('perSecond', perSecond, false) ?? Number.POSITIVE_INFINITY
  const run = new BatchRun(
    {
      send: (message) => transporter.sendMail(message),
      messages,
      keyOf: typeof sendOnce === 'function' ? sendOnce : ({ key, idempotencyKey }) => key ?? idempotencyKey,
      isOnce: sendOnce !== false,
      concurrency: most,
      pace: new BatchPace(most, rate),
      tally: new BatchTally(readTotal(options.total, messages), options.onProgress),
      signal,
      stopOn: options.stopOn ?? concernsAll,
      here: bindHere((work: () => void) => work()),
    },
    allowTransactional,
  )
  return run.results(new BatchContent(run, options.message))
}

/** Used if the number of connections is not limited. */
const MOST_BY_DEFAULT = 200

/** For each connection: the emails in flight, one that is being composed, and one that takes its place. */
function defaultConcurrency({ connections, inFlight }: BatchPort): number {
  return Math.min((inFlight + 2) * connections, MOST_BY_DEFAULT)
}

function checkFunctions({ onProgress, stopOn, sendOnce, signal }: BatchOptions): void {
  for (const [name, value] of Object.entries({ onProgress, stopOn })) {
    if (value !== undefined && typeof value !== 'function') throw optionError(name, value, 'a function')
  }
  if (!['undefined', 'boolean', 'function'].includes(typeof sendOnce))
    throw optionError('sendOnce', sendOnce, 'true, false, or a function that returns the key of a message')
  if (signal !== undefined && signal !== null && !isAbortSignal(signal))
    throw optionError('signal', signal, 'an AbortSignal')
}

function isIterable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Symbol.asyncIterator in value || Symbol.iterator in value
}

function readNumber(name: string, value: unknown, isWhole: boolean): number | undefined {
  if (value === undefined) return undefined
  const wanted = isWhole ? 'an integer of at least 1' : 'a number greater than 0'
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0)
    throw optionError(name, value, wanted)
  if (isWhole && !Number.isSafeInteger(value)) throw optionError(name, value, wanted)
  return value
}

function readTotal(total: unknown, messages: object): number | undefined {
  if (total !== undefined) {
    if (typeof total === 'number' && Number.isSafeInteger(total) && total >= 0) return total
    throw optionError('total', total, 'an integer of at least 0')
  }
  if (Array.isArray(messages)) return messages.length
  return messages instanceof Set || messages instanceof Map ? messages.size : undefined
}
