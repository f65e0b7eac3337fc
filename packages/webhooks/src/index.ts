export type { WebhookTrace } from '@postmark-smtp/core/internal'
export { isPostmarkError, PostmarkError } from '@postmark-smtp/core/pure'
export type { AddressRule } from './address-check.js'
export type { BounceClient, BounceFilter, BouncePage } from './bounce-client.js'
export { type BounceId, exactIds } from './bounce-id.js'
export { type ClaimResult, createMemoryDedupe, type DedupeStore, type MemoryDedupeOptions } from './dedupe.js'
export {
  type FindMailQuery,
  type FoundMail,
  findMail,
  type MailNotFound,
  type MailRefused,
  type MailSent,
} from './find-mail.js'
export { type HooksReport, type HooksReportOptions, hooksReport, type ServerReader } from './hooks-report.js'
export type { MailClient, MailFilter, MailPage } from './mail-client.js'
export { type NodeListener, type NodeRequest, toNodeListener } from './node-listener.js'
export { type ParseWebhookOptions, parseWebhook } from './parse-webhook.js'
export type { BodyLimits, WebhookLimits } from './read-body.js'
export { type Reconciliation, reconcile } from './reconcile.js'
export type { ReconcileCursor, ReconcileOptions, RetryOptions } from './reconcile-settings.js'
export { type ResolveUnknownOptions, resolveUnknown, type UnknownResolution } from './resolve-unknown.js'
export { suppressFrom } from './suppress-from.js'
export type { ResolvedInfo, UnknownSend, UnknownStore } from './unknown-store.js'
export { type WatchOptions, watch } from './watch.js'
export type { BasicLogin, SecretHeader, WebhookAuth } from './webhook-auth.js'
export type {
  BouncedEvent,
  BounceFields,
  ClickedEvent,
  ClientFields,
  ComplainedEvent,
  DeliveredEvent,
  EventBase,
  InboundEvent,
  OpenedEvent,
  RejectedEvent,
  ResubscribedEvent,
  UnknownEvent,
  UnsubscribedEvent,
  WebhookEvent,
  WebhookEventKind,
} from './webhook-event.js'
export { createWebhookHandler, type WebhookHandler, type WebhookRequestInfo } from './webhook-handler.js'
export type { WebhookHandlerOptions, WebhookHandlers } from './webhook-options.js'
export type { FailedTrigger, WebhookCounts, WebhookReader, WebhookReport } from './webhook-report.js'
