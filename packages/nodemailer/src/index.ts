export {
  type CompileOptions,
  type CompilePlugin,
  currentPostmark,
  explainPostmark,
  type FieldOrigins,
  isPostmarkError,
  type ParsedPostmarkFields,
  type PostmarkContext,
  PostmarkError,
  type PostmarkFields,
  type PostmarkProblem,
  runWithPostmark,
  updatePostmark,
} from '@postmark-smtp/core'
export { postmark } from './postmark.js'
