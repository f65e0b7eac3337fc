import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import { createMemoryDedupe, type DedupeStore } from './dedupe.js'
import type { ParseWebhookOptions } from './parse-webhook.js'
import type { BodyLimits, WebhookLimits } from './read-body.js'
import { isObject } from './read-value.js'
import { createRefusalReport } from './refused-secret.js'
import { type AuthResult, createAuthenticator, type WebhookAuth } from './webhook-auth.js'
import type { WebhookEvent, WebhookEventKind } from './webhook-event.js'

/** Your event handlers: one per kind, and `any`, which is called after it for every event. They may be asynchronous. */
export type WebhookHandlers = {
  readonly [K in WebhookEventKind]?: ((event: Extract<WebhookEvent, { kind: K }>) => unknown) | undefined
} & { readonly any?: ((event: WebhookEvent) => unknown) | undefined }

/** Options of {@link createWebhookHandler}. An unknown option throws. */
export interface WebhookHandlerOptions extends ParseWebhookOptions {
  /** Who may post events. There is no default. */
  readonly auth: WebhookAuth
  /** Your event handlers. If one throws, Postmark posts the event again. */
  readonly on: WebhookHandlers
  /** Remembers which events were handled. Default: in this process, up to 100,000 events. `false` switches it off. */
  readonly dedupe?: DedupeStore | false | undefined
  /**
   * Called if a handler or the store throws, if a body cannot be read, if an address is not in `auth.ips`, and if a secret
   * is refused (only once per kind of refusal). Default: a process warning.
   */
  readonly onError?: ((error: unknown, event: WebhookEvent | undefined) => unknown) | undefined
  /** The maximum size and depth of a body. */
  readonly limits?: WebhookLimits | undefined
}

/** {@link WebhookHandlerOptions} after the checks at construction. */
export interface WebhookSettings {
  readonly authenticate: (headers: Headers, remoteAddress: string | undefined) => AuthResult
  /** Reports a request whose secret was refused, once per kind. */
  readonly reportRefusal: (headers: Headers) => void
  readonly on: WebhookHandlers
  readonly dedupe: DedupeStore | undefined
  readonly limits: BodyLimits
  readonly parsing: { readonly correlationKey: string; readonly traceparentKey: string }
  readonly tell: (error: unknown, event: WebhookEvent | undefined) => void
}

const OPTIONS = ['auth', 'on', 'dedupe', 'onError', 'limits', 'correlationKey', 'traceparentKey'] as const
const KINDS: Readonly<Record<keyof WebhookHandlers, true>> = {
  delivered: true,
  bounced: true,
  rejected: true,
  complained: true,
  opened: true,
  clicked: true,
  unsubscribed: true,
  resubscribed: true,
  inbound: true,
  unknown: true,
  any: true,
}

/** Checks the options of a handler. @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function toWebhookSettings(options: WebhookHandlerOptions): WebhookSettings {
  refuseUnknown(options, OPTIONS)
  const { auth, on, dedupe = createMemoryDedupe(), onError, limits } = options ?? {}
  const { correlationKey = 'correlation-id', traceparentKey = 'traceparent' } = options ?? {}
  const authenticate = createAuthenticator(auth)
  checkHandlers(on)
  if (onError !== undefined && typeof onError !== 'function')
    throw optionError('onError', onError, 'a function')
  for (const [name, key] of Object.entries({ correlationKey, traceparentKey }))
    if (typeof key !== 'string' || key === '') throw optionError(name, key, 'a metadata key')
  const tell = guarded(onError ?? warn)
  return {
    authenticate,
    reportRefusal: createRefusalReport(auth, (error) => tell(error, undefined)),
    on,
    dedupe: checkDedupe(dedupe),
    limits: readLimits(limits),
    parsing: { correlationKey, traceparentKey },
    tell,
  }
}

function checkHandlers(on: unknown): void {
  if (!isObject(on)) throw optionError('on', on, 'an object of functions such as { rejected, bounced, any }')
  refuseUnknown(on, Object.keys(KINDS))
  for (const [kind, handler] of Object.entries(on))
    if (handler !== undefined && typeof handler !== 'function')
      throw optionError(`on.${kind}`, handler, 'a function')
}

function checkDedupe(dedupe: DedupeStore | false): DedupeStore | undefined {
  if (dedupe === false) return undefined
  for (const method of ['claim', 'confirm', 'release'] as const)
    if (typeof dedupe?.[method] !== 'function')
      throw optionError('dedupe', dedupe, 'false, or a store with claim, confirm and release')
  return dedupe
}

function readLimits(limits: WebhookLimits = {}): BodyLimits {
  if (!isObject(limits)) throw optionError('limits', limits, 'an object such as { maxBytes: 10_485_760 }')
  refuseUnknown(limits, ['maxBytes', 'maxDepth'])
  const { maxBytes = 10 * 1024 * 1024, maxDepth = 32 } = limits
  for (const [name, value] of Object.entries({ maxBytes, maxDepth }))
    if (!(typeof value === 'number' && value >= 1))
      throw optionError(`limits.${name}`, value, 'a number of 1 or more')
  return { maxBytes, maxDepth }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : new Error(String(error)))
}

/** An error in `onError` has no effect, because the reply is already decided. */
function guarded(tell: NonNullable<WebhookHandlerOptions['onError']>): WebhookSettings['tell'] {
  return (error, event) => {
    try {
      const told: unknown = tell(error, event)
      if (told instanceof Promise) told.catch(() => {})
    } catch {}
  }
}
