export {
  type CompileOptions,
  type CompilePlugin,
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
  updatePostmark,
} from '@postmark-smtp/core'
export { postmark } from './postmark.js'
