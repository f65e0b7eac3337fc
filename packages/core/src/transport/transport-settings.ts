import { readMessageDefaults } from '../compile/message-defaults.js'
import type { CompileSettings } from '../compile/settings.js'
import { readCompileOptions } from '../compile/settings.js'
import type { MailOptions } from '../compile/take-mail.js'
import type { SendOnceSettings } from '../delivery/claim.js'
import { ConnectionBudget, processBudget } from '../delivery/connection-budget.js'
import { mergeFields } from '../fields/merge-fields.js'
import { optionError, refuseUnknown } from '../problems/check-options.js'
import { isRecord } from '../problems/describe.js'
import { PostmarkError } from '../problems/error.js'
import { checkSafety } from './check-safety.js'
import { readOptionsOrUrl } from './options-or-url.js'
import { readPool } from './pool-option.js'
import { readRetry } from './retry-option.js'
import { createPlanner } from './route-planner.js'
import { readSendOnce } from './send-once-option.js'
import type { StreamRoutes } from './stream-routes.js'
import { readStreamRoutes } from './stream-routes.js'
import type { PostmarkTransportOptions } from './transport-options.js'

const OPTIONS = (
  'url serverToken smtpToken credentials messageStream streams strictStreams host ports authMethod tls allowPlaintext pool ' +
  'retry timeouts getSocket pipelining logger defaults preflight onWarning correlationId suppressions suppressed requireScope ' +
  'message disableFileAccess disableUrlAccess sendOnce'
).split(' ')

/** The options of a transport after they were checked in the constructor. */
export interface TransportSettings extends StreamRoutes {
  readonly compile: CompileSettings
  /** What each message gets. */
  readonly mail: MailOptions
  readonly budget: ConnectionBudget
  readonly maxQueued: number
  /** The maximum number of batch emails on one connection that have no reply yet. */
  readonly inFlight: number
  readonly sendOnce: SendOnceSettings | undefined
}

/**
 * Checks the options or the URL of a transport.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, _URL, _CREDENTIALS, _TLS, _FIELDS
 */
export function toTransportSettings(input: unknown, messageDefaults?: unknown): TransportSettings {
  const options = readOptionsOrUrl(input) as PostmarkTransportOptions
  refuseUnknown(options, OPTIONS)
  const mail = readMailOptions(options, messageDefaults)
  const { host, tls = {}, allowPlaintext = false, messageStream, strictStreams = false } = options
  if (host !== undefined && (typeof host !== 'string' || host === ''))
    throw optionError('host', host, 'a host name')
  if (typeof strictStreams !== 'boolean') throw optionError('strictStreams', strictStreams, 'true or false')
  if (!isRecord(tls)) throw optionError('tls', tls, 'an object such as { ca }')
  checkSafety(host, tls, allowPlaintext)
  const { maxConnections, maxQueued, ...pool } = readPool(options.pool)
  const budget = maxConnections === undefined ? processBudget : new ConnectionBudget(maxConnections)
  const toPlan = createPlanner(options, { pool, budget, retry: readRetry(options.retry) })
  const routes = readStreamRoutes(options, toPlan)
  const sendOnce = readSendOnce(options.sendOnce)
  const defaults = { ...options.defaults, ...(messageStream === undefined ? {} : { messageStream }) }
  const compile = readCompileOptions(
    { ...options, defaults },
    {
      fields: routes.fields,
      known: routes.known,
      strict: strictStreams,
      unnamed: routes.target(undefined).onlyStream,
    },
    sendOnce !== undefined,
  )
  const all = mail.message
    ? { ...compile, defaults: mergeFields(compile.defaults, mail.message.postmark) }
    : compile
  const inFlight = (options.pipelining ?? 'auto') === 'auto' ? pool.inFlight.batch : 1
  return { ...routes, compile: all, mail, budget, maxQueued, inFlight, sendOnce }
}

/** What each message gets: default fields, which can be set in two places, and what it may read. */
function readMailOptions(
  { message, disableFileAccess, disableUrlAccess }: PostmarkTransportOptions,
  messageDefaults: unknown,
): MailOptions {
  if (message !== undefined && messageDefaults !== undefined) {
    throw new PostmarkError(
      'ERR_POSTMARK_OPTIONS',
      'Both the option message and the second argument set message defaults. Remove one of them.',
    )
  }
  for (const [name, value] of Object.entries({ disableFileAccess, disableUrlAccess })) {
    if (value !== undefined && typeof value !== 'boolean') throw optionError(name, value, 'true or false')
  }
  return { message: readMessageDefaults(message ?? messageDefaults), disableFileAccess, disableUrlAccess }
}
