/**
 * What works without Nodemailer: fields and their headers, the request context, errors, tables, suppressions and
 * send-once stores. It is the same code as in the main entry point, which exports all of it as well.
 */
export type { SuppressionFinder } from './compile/check-suppressions.js'
export { explainPostmark } from './compile/explain.js'
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
export { fromHeaderEntries, type HeaderEntry, toHeaderEntries } from './fields/header-entries.js'
export { mergeFields } from './fields/merge-fields.js'
export { parseFields } from './fields/parse-fields.js'
export { toAddressKey } from './message/address-key.js'
export { type DeliveryFailure, isDeliveryFailure } from './problems/delivery-failure.js'
export { type DeliveryOutcome, deliveryOutcome } from './problems/delivery-outcome.js'
export {
  isPostmarkError,
  PostmarkError,
  type PostmarkErrorCode,
  type PostmarkErrorDetails,
} from './problems/error.js'
export { explainSmtpError, type SmtpExplanation } from './problems/explain-smtp-error.js'
export type { PostmarkProblem } from './problems/problem.js'
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
