export type {} from './augmentation.cjs'
export type {} from './augmentation.js'
export { attachPostmark, type PostmarkSender } from './compile/attach.js'
export type { SuppressionFinder } from './compile/check-suppressions.js'
export { explainPostmark } from './compile/explain.js'
export type { PostmarkInfo } from './compile/sent-info.js'
export type { CompileOptions } from './compile/settings.js'
export {
  createSuppressionList,
  type Suppression,
  type SuppressionList,
  type SuppressionStore,
} from './compile/suppression-list.js'
export {
  capturePostmark,
  currentPostmark,
  type RunWithPostmarkOptions,
  runWithPostmark,
  type ScopeFields,
  updatePostmark,
} from './context/context.js'
export { createMemorySendOnce, type MemorySendOnceOptions } from './delivery/memory-send-once.js'
export type { RetrySettings } from './delivery/retry.js'
export type { PoolSettings } from './delivery/route-plan.js'
export { isSendOnceFailure, type SendOnceFailure } from './delivery/send-once-errors.js'
export type {
  SendOnceClaim,
  SendOnceInfo,
  SendOnceRequest,
  SendOnceResolution,
  SendOnceStore,
  SendOnceUnknown,
} from './delivery/send-once-store.js'
export type { FieldOrigin, FieldOrigins } from './fields/field-origin.js'
export { type FittedFields, fitFields } from './fields/fit-fields.js'
export {
  fromHeaderEntries,
  type HeaderEntry,
  toHeaderEntries,
} from './fields/header-entries.js'
export { mergeFields } from './fields/merge-fields.js'
export { parseFields } from './fields/parse-fields.js'
export { toAddressKey } from './message/address-key.js'
export { listRecipients } from './message/addresses.js'
export { checkMessage } from './message/check-message.js'
export type { CompilePlugin, MailLike } from './message/nodemailer-types.js'
export { type DeliveryFailure, isDeliveryFailure } from './problems/delivery-failure.js'
export { type DeliveryOutcome, deliveryOutcome } from './problems/delivery-outcome.js'
export type {
  ChunkingEvent,
  ConnectEvent,
  CreateEvent,
  GroupingEvent,
  Opening,
  RetryEvent,
  SendEvent,
  SendPhase,
} from './problems/diagnostics.js'
export {
  isPostmarkError,
  PostmarkError,
  type PostmarkErrorCode,
  type PostmarkErrorDetails,
} from './problems/error.js'
export { explainSmtpError, type SmtpExplanation } from './problems/explain-smtp-error.js'
export type { PostmarkProblem } from './problems/problem.js'
export type { CredentialOptions, Credentials, SmtpToken, StreamType } from './smtp/credentials.js'
export type { GetSocket } from './smtp/given-socket.js'
export type { Pipelining } from './smtp/grouping.js'
export type { AuthMethod } from './smtp/login.js'
export type { TimeLimits } from './smtp/time-limits.js'
export type {
  BatchItem,
  BatchMessage,
  BatchOptions,
  BatchOutcome,
  BatchProgress,
  BatchResult,
} from './transport/batch-options.js'
export type { CloseOptions } from './transport/closing.js'
export {
  createPostmarkTransport,
  type PostmarkSentInfo,
  type PostmarkTransporter,
} from './transport/create-transport.js'
export {
  type HealthReport,
  type PostmarkHealthOptions,
  postmarkHealth,
  type VerifiableTransporter,
} from './transport/health.js'
export { sendBatch } from './transport/send-batch.js'
export type {
  PoolOptions,
  PostmarkTransportOptions,
  SendOnceOptions,
  StreamOptions,
} from './transport/transport-options.js'
export { API_ERRORS, type ApiError } from './vocabulary/api-errors.js'
export { BOUNCE_TYPES, type BounceType, type BounceTypeName } from './vocabulary/bounce-types.js'
export { FORBIDDEN_EXTENSIONS, MESSAGE_LIMITS } from './vocabulary/limits.js'
export {
  type ParsedPostmarkFields,
  POSTMARK_FIELDS,
  type PostmarkField,
  type PostmarkFields,
  RESERVED_HEADERS,
  WEBHOOK_HEADERS,
} from './vocabulary/vocabulary.js'
