export { API_ERRORS, type ApiError } from './api-errors.js'
export { attachPostmark, type InfoOf, type PostmarkInfo, type PostmarkSender } from './attach.js'
export type {} from './augmentation.cjs'
export type {} from './augmentation.js'
export { BOUNCE_TYPES, type BounceType, type BounceTypeName } from './bounce-types.js'
export { checkMessage, type ListRecipients } from './check-message.js'
export {
  capturePostmark,
  currentPostmark,
  type PostmarkContext,
  type RunWithPostmarkOptions,
  runWithPostmark,
  updatePostmark,
} from './context.js'
export {
  createPostmarkTransport,
  type PostmarkSentInfo,
  type PostmarkTransporter,
} from './create-transport.js'
export type { CredentialOptions, Credentials, SmtpToken, StreamType } from './credentials.js'
export type { DeliveryFailure } from './deliver.js'
export { type DeliveryOutcome, deliveryOutcome } from './delivery-outcome.js'
export type { ConnectEvent, RetryEvent, SendEvent, SendPhase } from './diagnostics.js'
export { isPostmarkError, PostmarkError, type PostmarkErrorCode, type PostmarkErrorDetails } from './error.js'
export { explainPostmark } from './explain.js'
export { explainSmtpError, type SmtpExplanation } from './explain-smtp-error.js'
export type { FieldOrigin, FieldOrigins } from './field-origin.js'
export { type FittedFields, fitFields } from './fit-fields.js'
export {
  fromHeaderEntries,
  type HeaderEntry,
  toHeaderEntries,
} from './header-entries.js'
export {
  type PostmarkHealth,
  type PostmarkHealthOptions,
  postmarkHealth,
  type VerifiableTransporter,
} from './health.js'
export { FORBIDDEN_EXTENSIONS, MESSAGE_LIMITS } from './limits.js'
export { mergeFields } from './merge-fields.js'
export { listRecipients } from './nodemailer.js'
export type { CompilePlugin, MailLike } from './nodemailer-types.js'
export { parseFields } from './parse-fields.js'
export type { CloseOptions } from './postmark-transport.js'
export type { PostmarkProblem } from './problem.js'
export type { CompileOptions } from './settings.js'
export type { AuthMethod } from './smtp-auth.js'
export {
  createSuppressionList,
  type Suppression,
  type SuppressionList,
  type SuppressionStore,
} from './suppression-list.js'
export type { TimeLimits } from './time-limits.js'
export type {
  GetSocket,
  PoolSettings,
  PostmarkTransportOptions,
  RetrySettings,
  StreamOptions,
} from './transport-options.js'
export {
  type ParsedPostmarkFields,
  POSTMARK_FIELDS,
  type PostmarkField,
  type PostmarkFields,
  RESERVED_HEADERS,
  WEBHOOK_HEADERS,
} from './vocabulary.js'
