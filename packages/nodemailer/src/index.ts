export {
  type CompileOptions,
  type CompilePlugin,
  capturePostmark,
  createSuppressionList,
  currentPostmark,
  explainPostmark,
  type FieldOrigins,
  isPostmarkError,
  type ParsedPostmarkFields,
  PostmarkError,
  type PostmarkFields,
  type PostmarkProblem,
  runWithPostmark,
  type ScopeFields,
  type SuppressionStore,
  updatePostmark,
} from '@postmark-smtp/core'
export { postmark } from './postmark.js'
