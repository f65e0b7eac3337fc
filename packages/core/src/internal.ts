/**
 * What our other packages use, at the same version. It is not part of the public API and may change in any release.
 * None of it needs Nodemailer.
 */
export { toOnceReference } from './compile/once-key.js'
export { isClaimed, runUnscoped } from './context/context.js'
export { runOutsideScopes } from './context/outside-scopes.js'
export { type RequestFields, toRequestReader } from './context/request-fields.js'
export { type RouteState, routeStates } from './delivery/routes-in-use.js'
export { type HeaderMeaning, meaningOf } from './fields/header-entries.js'
export { optionError, refuseUnknown } from './problems/check-options.js'
export { LONGEST_TIMER_MS } from './problems/longest-timer.js'
export { createRedactor, type Redactor } from './problems/redact.js'
export { type Around, type TracedWork, toPublicCode } from './problems/tracing.js'
export { uncalledError } from './problems/uncalled-error.js'
export {
  type EnqueueEvent,
  type JobEvent,
  publishEnqueue,
  traceJob,
  traceWebhook,
  type WebhookTrace,
} from './problems/work-events.js'
export { type Capabilities, parseCapabilities } from './smtp/capabilities.js'
export { Channel } from './smtp/channel.js'
export { type Login, readAccessKey, toLogin } from './smtp/credentials.js'
export { Handshake } from './smtp/handshake.js'
export { isLoopback } from './smtp/loopback.js'
export { openSocket } from './smtp/open-socket.js'
export { POSTMARK_HOSTS, POSTMARK_PORTS } from './smtp/postmark-hosts.js'
export type { SmtpLog } from './smtp/smtp-log.js'
export { createTlsContext } from './smtp/start-tls.js'
export { parseTransportUrl } from './transport/transport-url.js'
export { REST_ANSWERS, refusedByRest } from './vocabulary/api-errors.js'
export { toBounceTypeName } from './vocabulary/bounce-types.js'
export { HEADER_PREFIX, MISSPELLED_HEADERS } from './vocabulary/vocabulary.js'
